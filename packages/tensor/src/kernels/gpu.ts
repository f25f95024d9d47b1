import type { GpuEngine } from '../backends/gpu/engine.ts'
import { accumulateGpu } from './accumulate/gpu.ts'
import { adamwGpu } from './adamw/gpu.ts'
import { binaryGpu } from './binary/gpu.ts'
import { clampGpu, clampGradGpu } from './clamp/gpu.ts'
import { copyGpu } from './copy/gpu.ts'
import { copyWgsl } from './copy/wgsl.ts'
import { crossEntropyGpu, crossEntropyGradGpu } from './cross-entropy/gpu.ts'
import { cumsumGpu } from './cumsum/gpu.ts'
import { gatherGpu, scatterAddGpu } from './embedding/gpu.ts'
import { fillGpu } from './fill/gpu.ts'
import { globalNormGpu } from './global-norm/gpu.ts'
import { logitLossGpu, scaleInPlaceGpu, targetCountGpu } from './linear-cross-entropy/gpu.ts'
import { matmulGpu } from './matmul/gpu.ts'
import { reduceGpu } from './reduce/gpu.ts'
import { reluSquaredGpu, reluSquaredGradGpu } from './relu-squared/gpu.ts'
import { rmsNormGpu, rmsNormGradGpu } from './rms-norm/gpu.ts'
import { softcapGpu, softcapGradGpu } from './softcap/gpu.ts'
import { softmaxGpu, softmaxGradGpu } from './softmax/gpu.ts'
import type { KernelTable } from './table.ts'
import { transposeGpu } from './transpose/gpu.ts'
import { unaryGpu, unaryGradGpu } from './unary/gpu.ts'

/** The kernels of the gpu backend: those of gpu.js, and in mode webgpu hand-written ones where they gain most. */
export const gpuKernels = (engine: GpuEngine) =>
  ({
    accumulate: accumulateGpu(engine),
    adamw: adamwGpu(engine),
    binary: binaryGpu(engine),
    clamp: clampGpu(engine),
    clampGrad: clampGradGpu(engine),
    copy: engine.hasWgsl ? copyWgsl(engine) : copyGpu(engine),
    crossEntropy: crossEntropyGpu(engine),
    crossEntropyGrad: crossEntropyGradGpu(engine),
    cumsum: cumsumGpu(engine),
    fill: fillGpu(engine),
    gather: gatherGpu(engine),
    globalNorm: globalNormGpu(engine),
    logitLoss: logitLossGpu(engine),
    matmul: matmulGpu(engine),
    reduce: reduceGpu(engine),
    reluSquared: reluSquaredGpu(engine),
    reluSquaredGrad: reluSquaredGradGpu(engine),
    rmsNorm: rmsNormGpu(engine),
    rmsNormGrad: rmsNormGradGpu(engine),
    scaleInPlace: scaleInPlaceGpu(engine),
    scatterAdd: scatterAddGpu(engine),
    softcap: softcapGpu(engine),
    softcapGrad: softcapGradGpu(engine),
    softmax: softmaxGpu(engine),
    softmaxGrad: softmaxGradGpu(engine),
    targetCount: targetCountGpu(engine),
    transpose: transposeGpu(engine),
    unary: unaryGpu(engine),
    unaryGrad: unaryGradGpu(engine),
  }) satisfies KernelTable
