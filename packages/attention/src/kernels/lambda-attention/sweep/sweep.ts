import type { Handle } from '@tau/tensor/kernel'
import type { AttentionSizes } from '../../attention-shape.ts'
import type { HeadGrads } from '../head-grads.ts'
import type { LambdaHandles } from '../pass.ts'

/** λ-distance attention in O(T log T), forward pass. It writes out [B, H, Tq, D] and, for the backward pass,
 *  best [B, H, Tq] in f64: the best score of each query, max_j −|λq − λk_j| / temperature + c_j.
 *  docs/attention.md derives the algorithm. */
export type LambdaSweepKernel = (
  inputs: LambdaHandles,
  outputs: { readonly out: Handle; readonly best: Handle },
  sizes: AttentionSizes,
) => void

/** Its backward pass. capacity equals keys. */
export type LambdaSweepGradKernel = (
  inputs: LambdaHandles,
  saved: { readonly best: Handle; readonly dOut: Handle },
  grads: HeadGrads,
  sizes: AttentionSizes,
) => void
