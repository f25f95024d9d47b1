import type { GpuEngine } from '../backends/gpu/engine.ts'
import { accumulateGpu } from './accumulate/gpu.ts'
import { adamwGpu } from './adamw/gpu.ts'
import { binaryGpu } from './binary/gpu.ts'
import { clampGpu, clampGradGpu } from './clamp/gpu.ts'
import { copyGpu } from './copy/gpu.ts'
import { copyWgsl } from './copy/wgsl.ts'
import { crossEntropyGpu, crossEntropyGradGpu } from './cross-entropy/gpu.ts'
import { crossEntropyWgsl } from './cross-entropy/wgsl.ts'
import { cumsumGpu } from './cumsum/gpu.ts'
import { gatherGpu, scatterAddGpu } from './embedding/gpu.ts'
import { fillGpu } from './fill/gpu.ts'
import { globalNormGpu } from './global-norm/gpu.ts'
import { logitLossGpu, scaleInPlaceGpu, targetCountGpu } from './linear-cross-entropy/gpu.ts'
import { logitLossWgsl } from './linear-cross-entropy/wgsl.ts'
import { matmulGpu } from './matmul/gpu.ts'
import { matmulWgsl } from './matmul/wgsl.ts'
import { reduceGpu } from './reduce/gpu.ts'
import { reluSquaredGpu, reluSquaredGradGpu } from './relu-squared/gpu.ts'
import { rmsNormGpu, rmsNormGradGpu } from './rms-norm/gpu.ts'
import { rmsNormGradWgsl, rmsNormWgsl } from './rms-norm/wgsl.ts'
import { sgdGpu } from './sgd/gpu.ts'
import { softcapGpu, softcapGradGpu } from './softcap/gpu.ts'
import { softmaxGpu, softmaxGradGpu } from './softmax/gpu.ts'
import { softmaxGradWgsl, softmaxWgsl } from './softmax/wgsl.ts'
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
    crossEntropy: engine.hasWgsl ? crossEntropyWgsl(engine) : crossEntropyGpu(engine),
    crossEntropyGrad: crossEntropyGradGpu(engine),
    cumsum: cumsumGpu(engine),
    fill: fillGpu(engine),
    gather: gatherGpu(engine),
    globalNorm: globalNormGpu(engine),
    logitLoss: engine.hasWgsl ? logitLossWgsl(engine) : logitLossGpu(engine),
    matmul: engine.hasWgsl ? matmulWgsl(engine) : matmulGpu(engine),
    reduce: reduceGpu(engine),
    reluSquared: reluSquaredGpu(engine),
    reluSquaredGrad: reluSquaredGradGpu(engine),
    rmsNorm: engine.hasWgsl ? rmsNormWgsl(engine) : rmsNormGpu(engine),
    rmsNormGrad: engine.hasWgsl ? rmsNormGradWgsl(engine) : rmsNormGradGpu(engine),
    scaleInPlace: scaleInPlaceGpu(engine),
    scatterAdd: scatterAddGpu(engine),
    sgd: sgdGpu(engine),
    softcap: softcapGpu(engine),
    softcapGrad: softcapGradGpu(engine),
    softmax: engine.hasWgsl ? softmaxWgsl(engine) : softmaxGpu(engine),
    softmaxGrad: engine.hasWgsl ? softmaxGradWgsl(engine) : softmaxGradGpu(engine),
    targetCount: targetCountGpu(engine),
    transpose: transposeGpu(engine),
    unary: unaryGpu(engine),
    unaryGrad: unaryGradGpu(engine),
  }) satisfies KernelTable
