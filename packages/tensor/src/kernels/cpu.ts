import type { CpuEngine } from '../backends/cpu/engine.ts'
import { accumulateWasm } from './accumulate/wasm.ts'
import { adamwWasm } from './adamw/wasm.ts'
import { binaryWasm } from './binary/wasm.ts'
import { clampGradWasm, clampWasm } from './clamp/wasm.ts'
import { copyWasm } from './copy/wasm.ts'
import { crossEntropyGradWasm, crossEntropyWasm } from './cross-entropy/wasm.ts'
import { cumsumWasm } from './cumsum/wasm.ts'
import { gatherWasm, scatterAddWasm } from './embedding/wasm.ts'
import { fillWasm } from './fill/wasm.ts'
import { globalNormWasm } from './global-norm/wasm.ts'
import { logitLossWasm, scaleInPlaceWasm, targetCountWasm } from './linear-cross-entropy/wasm.ts'
import { matmulWasm } from './matmul/wasm.ts'
import { reduceWasm } from './reduce/wasm.ts'
import { reluSquaredGradWasm, reluSquaredWasm } from './relu-squared/wasm.ts'
import { rmsNormGradWasm, rmsNormWasm } from './rms-norm/wasm.ts'
import { sgdWasm } from './sgd/wasm.ts'
import { softcapGradWasm, softcapWasm } from './softcap/wasm.ts'
import { softmaxGradWasm, softmaxWasm } from './softmax/wasm.ts'
import type { KernelTable } from './table.ts'
import { transposeWasm } from './transpose/wasm.ts'
import { unaryGradWasm, unaryWasm } from './unary/wasm.ts'

/** The WASM kernels of the cpu backend. */
export const cpuKernels = (engine: CpuEngine) =>
  ({
    accumulate: accumulateWasm(engine),
    adamw: adamwWasm(engine),
    binary: binaryWasm(engine),
    clamp: clampWasm(engine),
    clampGrad: clampGradWasm(engine),
    copy: copyWasm(engine),
    crossEntropy: crossEntropyWasm(engine),
    crossEntropyGrad: crossEntropyGradWasm(engine),
    cumsum: cumsumWasm(engine),
    fill: fillWasm(engine),
    gather: gatherWasm(engine),
    globalNorm: globalNormWasm(engine),
    logitLoss: logitLossWasm(engine),
    matmul: matmulWasm(engine),
    reduce: reduceWasm(engine),
    reluSquared: reluSquaredWasm(engine),
    reluSquaredGrad: reluSquaredGradWasm(engine),
    rmsNorm: rmsNormWasm(engine),
    rmsNormGrad: rmsNormGradWasm(engine),
    scaleInPlace: scaleInPlaceWasm(engine),
    scatterAdd: scatterAddWasm(engine),
    sgd: sgdWasm(engine),
    softcap: softcapWasm(engine),
    softcapGrad: softcapGradWasm(engine),
    softmax: softmaxWasm(engine),
    softmaxGrad: softmaxGradWasm(engine),
    targetCount: targetCountWasm(engine),
    transpose: transposeWasm(engine),
    unary: unaryWasm(engine),
    unaryGrad: unaryGradWasm(engine),
  }) satisfies KernelTable
