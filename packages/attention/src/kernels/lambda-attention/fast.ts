import type { Device } from '@tau/tensor'
import type { KernelTable } from '../../generated/table.ts'
import type { AttentionSizes } from '../attention-shape.ts'
import { kernelsOf } from '../table.ts'
import { sumHeadGrads } from './head-grads.ts'
import type { LambdaHandles, LambdaPass } from './lambda-attention.ts'

/** Numbers of an f64. */
const WORDS = 2

/** Whether the device has the O(T log T) kernel. */
export const hasFast = (device: Device): boolean => kernelsOf(device).fastLambdaAttention !== undefined

export type FastKernels = Pick<KernelTable, 'fastLambdaAttention' | 'fastLambdaAttentionGrad'>

/** The forward pass in O(T log T), on buffers. Without `tape` nothing is kept for gradients. */
export function fastPass(
  device: Device,
  handles: LambdaHandles,
  sizes: AttentionSizes,
  tape: boolean,
  { fastLambdaAttention, fastLambdaAttentionGrad }: FastKernels = kernelsOf(device),
): LambdaPass {
  if (!fastLambdaAttention || !fastLambdaAttentionGrad)
    throw new Error('internal: fastPass must run on a device with the kernel')
  const { batch, heads, queries, valueDim } = sizes
  const out = device.empty([batch, heads, queries, valueDim])
  const best = device.empty([batch, heads, queries, WORDS])
  fastLambdaAttention(handles, { out: out.handle, best: best.handle }, sizes)
  if (!tape) best.dispose()
  return {
    out,
    backward: (dOut, decayWanted) =>
      sumHeadGrads(device, sizes, decayWanted, (grads) =>
        fastLambdaAttentionGrad(handles, { best: best.handle, dOut: dOut.handle }, grads, sizes),
      ),
  }
}
