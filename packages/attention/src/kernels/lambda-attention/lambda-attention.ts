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
  type ClockHandles,
  clockGrad,
  clockHandles,
  emptyClockGrads,
  spansOf,
} from '../attention-shape.ts'
import { rowDots } from '../row-dots/row-dots.ts'
import { kernelsOf } from '../table.ts'

/** Buffers of the inputs. lambdaK, v and clock have `capacity` rows per head. */
export interface LambdaHandles {
  readonly lambdaQ: Handle
  readonly lambdaK: Handle
  readonly v: Handle
  readonly temperature: Handle
  readonly clock: Handle | undefined
}

/** The forward pass. stats [B·H·Tq, 4] receives gap and clock reading of each row's key with the largest score, 1 / mass and
 *  the mean gap: what the backward pass needs to make any weight again. */
export type LambdaAttentionKernel = (
  inputs: LambdaHandles,
  out: Handle,
  stats: Handle,
  sizes: AttentionSizes,
) => void

/** The backward pass; capacity = keys. With p the weights and ds_ij = p_ij (dOut_i·v_j − delta_i):
 *  dLambdaQ [B, H, spans, Tq] and dTemperature [B, H, spans] are sums over the keys of each span, every key in one span;
 *  dLambdaK [B, Hkv, Tk], dV [B, Hkv, Tk, D], clock: see ClockGrads (undefined: not
 *  wanted). */
export type LambdaAttentionGradKernel = (
  inputs: LambdaHandles,
  saved: { readonly stats: Handle; readonly dOut: Handle; readonly delta: Handle },
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
  clock?: Tensor
}

/** Causal attention by distance of scalars, exact and streaming: no T × T matrix is ever stored.
 *  Query i of Tq has time t = i + Tk − Tq and sees keys j ≤ t with scores −|λq_i − λk_j| / temperature_h − (c_t − c_j);
 *  out_i = Σ_j softmax_j(scores) v_j → [B, H, Tq, D]. Query head h reads kv head h // (H/Hkv).
 *  Gradients to all five; at λq = λk, a kink, the sign is 0. No row loses its largest weight, however small the temperature.
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
    clock: clock?.handle,
  }
  const { out, stats } = attend(device, handles, sizes)
  const tensors = [lambdaQ, lambdaK, v, temperature, ...(clock ? [clock] : [])]
  return record('lambdaAttention', tensors, out, (dOut, wanted) => {
    const spans = spansOf(sizes)
    const delta = rowDots(dOut, out)
    const dLambdaQ = device.empty([batch, heads, spans, queries])
    const dLambdaK = device.empty(lambdaK.shape)
    const dV = device.empty(v.shape)
    const dTemperature = device.empty([batch, heads, spans])
    const clockGrads = clock && wanted[4] ? emptyClockGrads(device, sizes, spans) : undefined
    kernelsOf(device).lambdaAttentionGrad(
      handles,
      { stats: stats.handle, dOut: dOut.handle, delta: delta.handle },
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
      ...(clock ? [clockGrad(clockGrads, clock, sizes)] : []),
    ]
  })
}

/** The forward pass on buffers, for the operation and for caches. */
export function attend(
  device: Device,
  handles: LambdaHandles,
  sizes: AttentionSizes,
): { out: Tensor; stats: Tensor } {
  const { batch, heads, queries, valueDim } = sizes
  const out = device.empty([batch, heads, queries, valueDim])
  const stats = device.empty([batch * heads * queries, 4])
  kernelsOf(device).lambdaAttention(handles, out.handle, stats.handle, sizes)
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
