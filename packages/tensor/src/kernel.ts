// @tau/tensor/kernel: for packages that bring kernels of their own.

export { refuseTape } from './autodiff/tape.ts'
export type { CpuEngine, DoneLaunch, Launch } from './backends/cpu/engine.ts'
export { ELEMENT_GRAIN, rowGrain } from './backends/cpu/grain.ts'
export { WORKSPACE_BYTES } from './backends/cpu/layout.ts'
export {
  type WasmBuilds,
  type WasmModule,
  type WasmText,
  wasmModule,
} from './backends/cpu/wasm-module.ts'
export { touches, type Work } from './backends/cpu/work.ts'
export type { Handle, Scratch } from './backends/engine.ts'
export type { GpuEngine } from './backends/gpu/engine.ts'
export type { GpuArgument, GpuKernel, GpuLaunch, GpuOutput } from './backends/gpu/kernel.ts'
export type { BufferCounts, GpuTraffic } from './backends/gpu/runtime.ts'
export { isNanText } from './backends/gpu/text.ts'
export {
  linearGroups,
  MAX_GROUPS,
  type WgslAccess,
  type WgslBuffer,
  type WgslKernel,
  type WgslLaunch,
  type WgslScalar,
} from './backends/gpu/wgsl.ts'
export { wgslForms } from './backends/gpu/wgsl-forms.ts'
export { EXP_WGSL, foldWgsl, IS_NAN_WGSL } from './backends/gpu/wgsl-text.ts'
export { ELEMENT_BYTES, F64_BYTES } from './dtype.ts'
export { checkDevice, checkDType, checkRank, checkSameShape } from './kernels/check.ts'
export { type KernelFactories, type KernelFactory, kernelSet } from './kernels/kernel-set.ts'
export { type Fold, type FoldDefinition, foldGpu } from './kernels/reduce/gpu-fold.ts'
