import type { Handle } from '@tau/tensor/kernel'
import type { AttentionSizes } from '../../attention-shape.ts'
import type { HeadGrads } from '../head-grads.ts'
import type { LambdaHandles } from '../lambda-attention.ts'

/** λ-distance attention in O(T log T), forward: out [B, H, Tq, D] and, for the backward pass, every query's best score
 *  max_j −|λq − λk_j| / temperature + c_j, best [B, H, Tq] in f64. docs/attention.md derives it. */
export type LambdaSweepKernel = (
  inputs: LambdaHandles,
  outputs: { readonly out: Handle; readonly best: Handle },
  sizes: AttentionSizes,
) => void

/** The backward pass; capacity = keys. */
export type LambdaSweepGradKernel = (
  inputs: LambdaHandles,
  saved: { readonly best: Handle; readonly dOut: Handle },
  grads: HeadGrads,
  sizes: AttentionSizes,
) => void
