import { type Device, sum, type Tensor } from '@tau/tensor'
import type { AttentionSizes } from '../attention-shape.ts'
import { type AttentionTable, kernelsOf } from '../table.ts'
import type { LambdaHandles, LambdaPass } from './lambda-attention.ts'

/** Numbers of an f64. */
const WORDS = 2

/** Whether the device has the O(T log T) kernel. */
export const hasFast = (device: Device): boolean => kernelsOf(device).fastLambdaAttention !== undefined

export type FastKernels = Pick<AttentionTable, 'fastLambdaAttention' | 'fastLambdaAttentionGrad'>

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
  const { batch, heads, kvHeads, queries, keys, valueDim } = sizes
  const out = device.empty([batch, heads, queries, valueDim])
  const best = device.empty([batch, heads, queries, WORDS])
  fastLambdaAttention(handles, { out: out.handle, best: best.handle }, sizes)
  if (!tape) best.dispose()
  return {
    out,
    backward(dOut, clockWanted) {
      const dLambdaQ = device.empty([batch, heads, queries])
      const dLambdaK = device.empty([batch, heads, keys])
      const dV = device.empty([batch, heads, keys, valueDim])
      const dTemperature = device.empty([batch, heads])
      const dClock = clockWanted ? device.empty([batch, heads, keys]) : undefined
      fastLambdaAttentionGrad(
        handles,
        { best: best.handle, dOut: dOut.handle },
        {
          dLambdaQ: dLambdaQ.handle,
          dLambdaK: dLambdaK.handle,
          dV: dV.handle,
          dTemperature: dTemperature.handle,
          dClock: dClock?.handle,
        },
        sizes,
      )
      const perKvHead = (grad: Tensor, ...rest: number[]) =>
        heads === kvHeads ? grad : sum(grad.view([batch, kvHeads, heads / kvHeads, keys, ...rest]), [2])
      return {
        lambdaQ: dLambdaQ,
        lambdaK: perKvHead(dLambdaK),
        v: perKvHead(dV, valueDim),
        temperature: sum(dTemperature, [0]),
        clock: (readings) => (dClock && readings.rank === 2 ? sum(dClock, [0]) : (dClock ?? null)),
      }
    },
  }
}
