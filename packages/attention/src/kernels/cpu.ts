import type { CpuEngine } from '@tau/tensor'
import { constantDecayWasm, forgetGateDecayGradWasm, forgetGateDecayWasm } from './decay/wasm.ts'
import { dotAttentionGradWasm, dotAttentionWasm } from './dot-attention/wasm.ts'
import { fastLambdaAttentionGradWasm, fastLambdaAttentionWasm } from './fast-lambda-attention/wasm.ts'
import { lambdaAttentionGradWasm, lambdaAttentionWasm } from './lambda-attention/wasm.ts'
import { referenceTauWasm } from './reference-tau/wasm.ts'
import { ropeWasm } from './rope/wasm.ts'
import { rotaryTaumodeGradWasm, rotaryTaumodeWasm } from './rotary-taumode/wasm.ts'
import { rowDotsWasm } from './row-dots/wasm.ts'
import type { AttentionTable } from './table.ts'
import { tauTreeWasm } from './tau-cache/wasm.ts'
import { taumodeGradWasm, taumodeWasm } from './taumode/wasm.ts'

/** The WASM kernels of the cpu backend. */
export const cpuKernels = (engine: CpuEngine) =>
  ({
    dotAttention: dotAttentionWasm(engine),
    dotAttentionGrad: dotAttentionGradWasm(engine),
    fastLambdaAttention: fastLambdaAttentionWasm(engine),
    fastLambdaAttentionGrad: fastLambdaAttentionGradWasm(engine),
    forgetGateDecay: forgetGateDecayWasm(engine),
    forgetGateDecayGrad: forgetGateDecayGradWasm(engine),
    lambdaAttention: lambdaAttentionWasm(engine),
    lambdaAttentionGrad: lambdaAttentionGradWasm(engine),
    mergedLambdaAttention: undefined,
    mergedLambdaAttentionGrad: undefined,
    referenceTau: referenceTauWasm(engine),
    rope: ropeWasm(engine),
    rotaryTaumode: rotaryTaumodeWasm(engine),
    rotaryTaumodeGrad: rotaryTaumodeGradWasm(engine),
    rowDots: rowDotsWasm(engine),
    constantDecay: constantDecayWasm(engine),
    taumode: taumodeWasm(engine),
    taumodeGrad: taumodeGradWasm(engine),
    tauTree: tauTreeWasm(engine),
  }) satisfies AttentionTable
