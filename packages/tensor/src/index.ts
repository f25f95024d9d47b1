export { checkpoint } from './autodiff/checkpoint.ts'
export { type Backward, type Entry, grad, type Recorder, record, type TapeOptions } from './autodiff/tape.ts'
export { type AutoOptions, auto, GPU_WORTH_FLOPS } from './backends/auto.ts'
export { type CpuOptions, cpu } from './backends/cpu/cpu.ts'
export { dryCpu } from './backends/cpu/dry.ts'
export type { GemmLibrary, GemmProgram } from './backends/cpu/gemm.ts'
export { MAX_CPU_BYTES } from './backends/cpu/layout.ts'
export { hasWideSimd } from './backends/cpu/wide.ts'
export type { BackendName } from './backends/engine.ts'
export { type GpuOptions, gpu } from './backends/gpu/gpu.ts'
export { GPU_MODES, type GpuMode, type KernelChoice } from './backends/gpu/runtime.ts'
export { isSoftware as isSoftwareAdapter } from './backends/gpu/software.ts'
export { Device, type DeviceInfo, type MemoryUse } from './device.ts'
export type { ArrayOf, DType } from './dtype.ts'
export { BackendError, DeviceLostError, DTypeError, FormatError, ShapeError, shapeText } from './errors.ts'
export { addInto } from './kernels/accumulate/accumulate.ts'
export { argmax, argmin } from './kernels/argmax/argmax.ts'
export { add, div, maximum, minimum, mul, pow, sub } from './kernels/binary/binary.ts'
export type { Operand } from './kernels/binary/operands.ts'
export { clamp } from './kernels/clamp/clamp.ts'
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from './kernels/compare/compare.ts'
export { type Block, concat, copyBlock, slice } from './kernels/copy/copy.ts'
export { crossEntropy, IGNORE_INDEX } from './kernels/cross-entropy/cross-entropy.ts'
export { cumsum } from './kernels/cumsum/cumsum.ts'
export { type DropoutOptions, dropout } from './kernels/dropout/dropout.ts'
export { embedding } from './kernels/embedding/embedding.ts'
export { fill, ones, zeros } from './kernels/fill/fill.ts'
export { globalNorm } from './kernels/global-norm/global-norm.ts'
export { layerNorm } from './kernels/layer-norm/layer-norm.ts'
export { linear, linearReluSquared } from './kernels/linear/linear.ts'
export { type LogitOptions, linearCrossEntropy } from './kernels/linear-cross-entropy/linear-cross-entropy.ts'
export type { Layout } from './kernels/matmul/layout.ts'
export { matmul } from './kernels/matmul/matmul.ts'
export { mean } from './kernels/reduce/mean.ts'
export { type Axes, max, sum } from './kernels/reduce/reduce.ts'
export { reluSquared } from './kernels/relu-squared/relu-squared.ts'
export { reshape } from './kernels/reshape/reshape.ts'
export { rmsNorm } from './kernels/rms-norm/rms-norm.ts'
export { softcap } from './kernels/softcap/softcap.ts'
export { softmax } from './kernels/softmax/softmax.ts'
export { permute, transpose } from './kernels/transpose/transpose.ts'
export {
  abs,
  exp,
  gelu,
  log,
  neg,
  reciprocal,
  relu,
  sigmoid,
  silu,
  softplus,
  sqrt,
  square,
  tanh,
} from './kernels/unary/unary.ts'
export { where } from './kernels/where/where.ts'
export type { NestedNumbers } from './nested.ts'
export { philox4x32 } from './philox.ts'
export { type Profile, type ProfiledLaunch, profile, type Span } from './profile/profile.ts'
export {
  type KernelTotal,
  type PhaseTotal,
  type ProfileTotals,
  profileTotals,
  type Total,
} from './profile/totals.ts'
export { traceOf } from './profile/trace.ts'
export { Random } from './random.ts'
export type { Scope } from './scope.ts'
export { type Shape, sizeOf } from './shape.ts'
export { Tensor } from './tensor.ts'
