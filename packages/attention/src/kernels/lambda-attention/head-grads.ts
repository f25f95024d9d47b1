import { type Device, sum, type Tensor } from '@tau/tensor'
import type { Handle } from '@tau/tensor/kernel'
import type { AttentionSizes } from '../attention-shape.ts'
import type { LambdaPass } from './lambda-attention.ts'

/** Gradients of every query head by itself: dLambdaQ [B, H, Tq], dLambdaK [B, H, Tk], dV [B, H, Tk, D], dTemperature [B, H], dLogDecay
 *  [B, H, Tk] (undefined: not wanted). */
export interface HeadGrads {
  readonly dLambdaQ: Handle
  readonly dLambdaK: Handle
  readonly dV: Handle
  readonly dTemperature: Handle
  readonly dLogDecay: Handle | undefined
}

/** The gradients that `run` makes per query head, summed over the heads that share keys and over the batch. */
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
