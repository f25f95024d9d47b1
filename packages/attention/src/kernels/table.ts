import { kernelSet } from '@tau/tensor'
import { cpuKernels } from './cpu.ts'
import type { ConstantDecayKernel, ForgetGateDecayGradKernel, ForgetGateDecayKernel } from './decay/decay.ts'
import type { DotAttentionGradKernel, DotAttentionKernel } from './dot-attention/dot-attention.ts'
import type {
  FastLambdaAttentionGradKernel,
  FastLambdaAttentionKernel,
} from './fast-lambda-attention/fast-lambda-attention.ts'
import { gpuKernels } from './gpu.ts'
import type { LambdaAttentionGradKernel, LambdaAttentionKernel } from './lambda-attention/lambda-attention.ts'
import type {
  MergedLambdaAttentionGradKernel,
  MergedLambdaAttentionKernel,
} from './merged-lambda-attention/merged-lambda-attention.ts'
import type { ReferenceTauKernel } from './reference-tau/reference-tau.ts'
import type { RopeKernel } from './rope/rope.ts'
import type { RotaryTaumodeGradKernel, RotaryTaumodeKernel } from './rotary-taumode/rotary-taumode.ts'
import type { RowDotsKernel } from './row-dots/row-dots.ts'
import type { TauTreeKernels } from './tau-cache/tau-cache.ts'
import type { TaumodeGradKernel, TaumodeKernel } from './taumode/taumode.ts'

/** Every kernel of this package. Each backend fills the table (cpu.ts, gpu.ts); a missing entry does not compile. */
export interface AttentionTable {
  dotAttention: DotAttentionKernel
  dotAttentionGrad: DotAttentionGradKernel
  /** undefined where the backend has no such kernel; lambdaAttention is then what there is. */
  fastLambdaAttention: FastLambdaAttentionKernel | undefined
  fastLambdaAttentionGrad: FastLambdaAttentionGradKernel | undefined
  forgetGateDecay: ForgetGateDecayKernel
  forgetGateDecayGrad: ForgetGateDecayGradKernel
  lambdaAttention: LambdaAttentionKernel
  lambdaAttentionGrad: LambdaAttentionGradKernel
  /** fastLambdaAttention for GPUs, which have no f64. */
  mergedLambdaAttention: MergedLambdaAttentionKernel | undefined
  mergedLambdaAttentionGrad: MergedLambdaAttentionGradKernel | undefined
  referenceTau: ReferenceTauKernel
  rope: RopeKernel
  /** undefined where the backend composes it. */
  rotaryTaumode: RotaryTaumodeKernel | undefined
  rotaryTaumodeGrad: RotaryTaumodeGradKernel | undefined
  rowDots: RowDotsKernel
  constantDecay: ConstantDecayKernel
  taumode: TaumodeKernel
  taumodeGrad: TaumodeGradKernel
  /** undefined where a backend has no trees: its caches stream. */
  tauTree: TauTreeKernels | undefined
}

/** The kernels of the device a tensor lives on. */
export const kernelsOf = kernelSet<AttentionTable>({ cpu: cpuKernels, gpu: gpuKernels })
