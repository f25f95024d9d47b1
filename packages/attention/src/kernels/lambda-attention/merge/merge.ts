import type { Handle } from '@tau/tensor/kernel'
import type { AttentionSizes } from '../../attention-shape.ts'
import type { HeadGrads } from '../head-grads.ts'
import type { LambdaAttentionKernel } from '../lambda-attention.ts'
import type { LambdaHandles } from '../pass.ts'

/** λ-distance attention in O(T log T) for GPUs, computed level by level. It writes the same outputs as the
 *  pass over all pairs. */
export type LambdaMergeKernel = LambdaAttentionKernel

/** Its backward pass. capacity equals keys. */
export type LambdaMergeGradKernel = (
  inputs: LambdaHandles,
  saved: { readonly stats: Handle; readonly rest: Handle; readonly dOut: Handle },
  grads: HeadGrads,
  sizes: AttentionSizes,
) => void
