import {
  checkDevice,
  type Device,
  type Handle,
  record,
  ShapeError,
  shapeText,
  sum,
  type Tensor,
} from '@tau/tensor'
import {
  type AttentionSizes,
  attentionSizes,
  type ClockBuffers,
  type ClockHandles,
  clockBuffers,
  clockGrad,
  clockHandles,
  emptyClockGrads,
  spansOf,
} from '../attention-shape.ts'
import { type Clock, clockParts } from '../clock/clock.ts'
import { kernelsOf } from '../table.ts'
import { STATS } from './stats.ts'

/** Buffers of the inputs. lambdaK, v and clock have `capacity` rows per head. */
export interface LambdaHandles {
  readonly lambdaQ: Handle
  readonly lambdaK: Handle
  readonly v: Handle
  readonly temperature: Handle
  readonly clock: ClockBuffers | undefined
}

/** The forward pass: out, stats [B·H·Tq, STATS] (see stats.ts) and, where wanted, rest = out − centre [B, H, Tq, D]. The centre of a row
 *  is v_top where the top key has more than half of the weight, and rest = Σ p_j (v_j − v_top) keeps its digits though that weight
 *  be almost 1; otherwise it is 0. */
export type LambdaAttentionKernel = (
  inputs: LambdaHandles,
  outputs: { readonly out: Handle; readonly rest: Handle | undefined; readonly stats: Handle },
  sizes: AttentionSizes,
) => void

/** The backward pass; capacity = keys. With p the weights and
 *  ds_ij = p_ij ((dOut_i·v_j − dOut_i·centre_i) − dOut_i·rest_i): dLambdaQ [B, H, spans, Tq] and dTemperature [B, H, spans] are sums
 *  over the keys of each span, every key in one span; dLambdaK [B, Hkv, Tk], dV [B, Hkv, Tk, D], clock: see ClockGrads
 *  (undefined: not wanted). */
export type LambdaAttentionGradKernel = (
  inputs: LambdaHandles,
  saved: { readonly stats: Handle; readonly rest: Handle; readonly dOut: Handle },
  grads: {
    readonly dLambdaQ: Handle
    readonly dLambdaK: Handle
    readonly dV: Handle
    readonly dTemperature: Handle
    readonly clock: ClockHandles | undefined
  },
  sizes: AttentionSizes,
  spans: number,
) => void

export interface LambdaAttentionInputs {
  /** [B, H, Tq] */
  lambdaQ: Tensor
  /** [B, Hkv, Tk] */
  lambdaK: Tensor
  /** [B, Hkv, Tk, D] */
  v: Tensor
  /** [H], above 0 */
  temperature: Tensor
  /** [B, H, Tk] or [H, Tk], not decreasing along time; default: no clock. */
  clock?: Tensor | Clock
}

/** Causal attention by distance of scalars, exact and streaming: no T × T matrix is ever stored.
 *  Query i of Tq has time t = i + Tk − Tq and sees keys j ≤ t with scores −|λq_i − λk_j| / temperature_h − (c_t − c_j);
 *  out_i = Σ_j softmax_j(scores) v_j → [B, H, Tq, D]. Query head h reads kv head h // (H/Hkv).
 *  Gradients to all five (a Clock's to its high part); at λq = λk, a kink, the sign is 0. No row loses its largest weight, however
 *  small the temperature, and weights are as exact in f32 as the differences of λ and of clock readings are.
 *  O(Tq·Tk·D) time, O(Tq·D) memory. Source: Tauformer (sources in the README); clock: Lin et al., Forgetting Transformer (2025).
 *  Throws ShapeError when shapes disagree. */
export function lambdaAttention(inputs: LambdaAttentionInputs): Tensor {
  const { lambdaQ, lambdaK, v, temperature, clock } = inputs
  const sizes = checkInputs(inputs)
  const { device } = lambdaQ
  const { batch, heads, queries } = sizes
  const handles = {
    lambdaQ: lambdaQ.handle,
    lambdaK: lambdaK.handle,
    v: v.handle,
    temperature: temperature.handle,
    clock: clockBuffers(clock),
  }
  const rest = device.tape && device.empty([batch, heads, queries, sizes.valueDim])
  const { out, stats } = attend(device, handles, sizes, rest)
  const readings = clock && clockParts(clock).high
  const tensors = [lambdaQ, lambdaK, v, temperature, ...(readings ? [readings] : [])]
  return record('lambdaAttention', tensors, out, (dOut, wanted) => {
    if (!rest) throw new Error('internal: lambdaAttention must keep rest for its gradients')
    const spans = spansOf(sizes)
    const dLambdaQ = device.empty([batch, heads, spans, queries])
    const dLambdaK = device.empty(lambdaK.shape)
    const dV = device.empty(v.shape)
    const dTemperature = device.empty([batch, heads, spans])
    const clockGrads = wanted[4] ? emptyClockGrads(device, sizes, spans) : undefined
    kernelsOf(device).lambdaAttentionGrad(
      handles,
      { stats: stats.handle, rest: rest.handle, dOut: dOut.handle },
      {
        dLambdaQ: dLambdaQ.handle,
        dLambdaK: dLambdaK.handle,
        dV: dV.handle,
        dTemperature: dTemperature.handle,
        clock: clockHandles(clockGrads),
      },
      sizes,
      spans,
    )
    return [
      wanted[0] ? (spans === 1 ? dLambdaQ.view(lambdaQ.shape) : sum(dLambdaQ, [2])) : null,
      dLambdaK,
      dV,
      wanted[3] ? sum(dTemperature, [0, 2]) : null,
      ...(readings ? [clockGrad(clockGrads, readings, sizes)] : []),
    ]
  })
}

/** The forward pass on buffers, for the operation and for caches. */
export function attend(
  device: Device,
  handles: LambdaHandles,
  sizes: AttentionSizes,
  rest?: Tensor,
): { out: Tensor; stats: Tensor } {
  const { batch, heads, queries, valueDim } = sizes
  const out = device.empty([batch, heads, queries, valueDim])
  const stats = device.empty([batch * heads * queries, STATS])
  kernelsOf(device).lambdaAttention(
    handles,
    { out: out.handle, rest: rest?.handle, stats: stats.handle },
    sizes,
  )
  return { out, stats }
}

function checkInputs({ lambdaQ, lambdaK, v, temperature, clock }: LambdaAttentionInputs): AttentionSizes {
  const op = 'lambdaAttention'
  if (lambdaQ.rank !== 3 || lambdaK.rank !== 3)
    throw new ShapeError(
      `${op}: lambdaQ must be [B, H, Tq] and lambdaK [B, Hkv, Tk], got ${shapeText(lambdaQ.shape)} and ${shapeText(lambdaK.shape)}`,
    )
  const sizes = attentionSizes(op, lambdaQ, lambdaK, v, clock, { queries: 'lambdaQ', keys: 'lambdaK' })
  checkTemperature(op, temperature, sizes.heads, lambdaQ)
  return sizes
}

export function checkTemperature(op: string, temperature: Tensor, heads: number, peer: Tensor): void {
  checkDevice(op, peer, temperature)
  if (temperature.rank !== 1 || temperature.size !== heads)
    throw new ShapeError(
      `${op}: temperature must be [H] with H ${heads} query heads, got ${shapeText(temperature.shape)}`,
    )
}
