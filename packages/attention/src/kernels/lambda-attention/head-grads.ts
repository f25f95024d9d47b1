import { type Device, sum, type Tensor } from '@tau/tensor'
import type { Handle } from '@tau/tensor/kernel'
import type { AttentionSizes } from '../attention-shape.ts'
import type { LambdaPass } from './pass.ts'

/** Buffers for the gradients of each query head, not yet summed over the heads that share keys: dLambdaQ
 *  [B, H, Tq], dLambdaK [B, H, Tk], dV [B, H, Tk, D], dTemperature [B, H] and dLogDecay [B, H, Tk]. dLogDecay
 *  is undefined if nobody asks for it. */
export interface HeadGrads {
  readonly dLambdaQ: Handle
  readonly dLambdaK: Handle
  readonly dV: Handle
  readonly dTemperature: Handle
  readonly dLogDecay: Handle | undefined
}

/** Allocates the gradients per query head, lets `run` fill them, and sums them. Gradients of keys and values
 *  are summed over the query heads that share them. Those of the temperature are summed over the batch. */
export function sumHeadGrads(
  device: Device,
  { batch, heads, kvHeads, queries, keys, valueDim }: AttentionSizes,
  decayWanted: boolean,
  run: (grads: HeadGrads) => void,
): ReturnType<LambdaPass['backward']> {
  const dLambdaQ = device.empty([batch, heads, queries])
  const dLambdaK = device.empty([batch, heads, keys])
  const dV = device.empty([batch, heads, keys, valueDim])
  const dTemperature = device.empty([batch, heads])
  const dLogDecay = decayWanted ? device.empty([batch, heads, keys]) : undefined
  run({
    dLambdaQ: dLambdaQ.handle,
    dLambdaK: dLambdaK.handle,
    dV: dV.handle,
    dTemperature: dTemperature.handle,
    dLogDecay: dLogDecay?.handle,
  })
  const perKvHead = (grad: Tensor, ...rest: number[]) =>
    heads === kvHeads ? grad : sum(grad.view([batch, kvHeads, heads / kvHeads, keys, ...rest]), [2])
  return {
    lambdaQ: dLambdaQ,
    lambdaK: perKvHead(dLambdaK),
    v: perKvHead(dV, valueDim),
    temperature: sum(dTemperature, [0]),
    logDecay: (readings) => (dLogDecay && readings.rank === 2 ? sum(dLogDecay, [0]) : (dLogDecay ?? null)),
  }
}
