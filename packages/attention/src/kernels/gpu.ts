import type { GpuEngine } from '@tau/tensor'
import { constantDecayGpu, forgetGateDecayGpu, forgetGateDecayGradGpu } from './decay/gpu.ts'
import { dotAttentionGpu, dotAttentionGradGpu } from './dot-attention/gpu.ts'
import { lambdaAttentionGpu, lambdaAttentionGradGpu } from './lambda-attention/gpu.ts'
import { lambdaAttentionGradWgsl, lambdaAttentionWgsl } from './lambda-attention/wgsl.ts'
import { mergedLambdaAttentionGradWgsl, mergedLambdaAttentionWgsl } from './merged-lambda-attention/wgsl.ts'
import { referenceTauGpu } from './reference-tau/gpu.ts'
import { ropeGpu } from './rope/gpu.ts'
import { rowDotsGpu } from './row-dots/gpu.ts'
import type { AttentionTable } from './table.ts'
import { taumodeGpu, taumodeGradGpu } from './taumode/gpu.ts'

/** The portable gpu.js kernels. */
export const gpuKernels = (engine: GpuEngine) =>
  ({
    dotAttention: dotAttentionGpu(engine),
    dotAttentionGrad: dotAttentionGradGpu(engine),
    fastLambdaAttention: undefined,
    fastLambdaAttentionGrad: undefined,
    forgetGateDecay: forgetGateDecayGpu(engine),
    forgetGateDecayGrad: forgetGateDecayGradGpu(engine),
    lambdaAttention: engine.hasWgsl ? lambdaAttentionWgsl(engine) : lambdaAttentionGpu(engine),
    lambdaAttentionGrad: engine.hasWgsl ? lambdaAttentionGradWgsl(engine) : lambdaAttentionGradGpu(engine),
    mergedLambdaAttention: engine.hasWgsl ? mergedLambdaAttentionWgsl(engine) : undefined,
    mergedLambdaAttentionGrad: engine.hasWgsl ? mergedLambdaAttentionGradWgsl(engine) : undefined,
    referenceTau: referenceTauGpu(engine),
    rope: ropeGpu(engine),
    rotaryTaumode: undefined,
    rotaryTaumodeGrad: undefined,
    rowDots: rowDotsGpu(engine),
    constantDecay: constantDecayGpu(engine),
    taumode: taumodeGpu(engine),
    taumodeGrad: taumodeGradGpu(engine),
    tauTree: undefined,
  }) satisfies AttentionTable
