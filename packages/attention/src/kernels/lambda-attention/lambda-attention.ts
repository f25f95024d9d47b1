import { type Device, record, ShapeError, shapeText, type Tensor } from '@tau/tensor'
import { checkDevice, type Handle } from '@tau/tensor/kernel'
import {
  type AttentionSizes,
  attentionSizes,
  type DecayBuffers,
  type DecayHandles,
  decayBuffers,
} from '../attention-shape.ts'
import { decayParts, type LogDecay } from '../decay/decay.ts'
import { hasMerge, mergePass, prefersMerge } from './merge/pass.ts'
import { quadraticPass } from './quadratic/pass.ts'
import { hasSweep, sweepPass } from './sweep/pass.ts'

/** Buffers of the inputs. lambdaK, v and logDecay have `capacity` rows per head. */
export interface LambdaHandles {
  readonly lambdaQ: Handle
  readonly lambdaK: Handle
  readonly v: Handle
  readonly temperature: Handle
  readonly logDecay: DecayBuffers | undefined
}

/** The forward pass over all pairs: out, stats [B·H·Tq, STATS] (see stats.ts) and, where wanted, rest = out − centre [B, H, Tq, D]. The centre of a row
 *  is v_top where the top key has more than half of the weight, and rest = Σ p_j (v_j − v_top) keeps its digits though that weight
 *  be almost 1; otherwise it is 0. */
export type LambdaAttentionKernel = (
  inputs: LambdaHandles,
  outputs: { readonly out: Handle; readonly rest: Handle | undefined; readonly stats: Handle },
  sizes: AttentionSizes,
) => void

/** Its backward pass; capacity = keys. With p the weights and
 *  ds_ij = p_ij ((dOut_i·v_j − dOut_i·centre_i) − dOut_i·rest_i): dLambdaQ [B, H, spans, Tq] and dTemperature [B, H, spans] are sums
 *  over the keys of each span, every key in one span; dLambdaK [B, Hkv, Tk], dV [B, Hkv, Tk, D], logDecay: see DecayGrads
 *  (undefined: not wanted). */
export type LambdaAttentionGradKernel = (
  inputs: LambdaHandles,
  saved: { readonly stats: Handle; readonly rest: Handle; readonly dOut: Handle },
  grads: {
    readonly dLambdaQ: Handle
    readonly dLambdaK: Handle
    readonly dV: Handle
    readonly dTemperature: Handle
    readonly logDecay: DecayHandles | undefined
  },
  sizes: AttentionSizes,
  spans: number,
) => void

export type LambdaAlgorithm = 'auto' | 'sorted' | 'quadratic'

export interface LambdaAttentionInputs {
  /** [B, H, Tq] */
  lambdaQ: Tensor
  /** [B, Hkv, Tk] */
  lambdaK: Tensor
  /** [B, Hkv, Tk, D] */
  v: Tensor
  /** [H], above 0 */
  temperature: Tensor
  /** [B, H, Tk] or [H, Tk], not decreasing along time; default: no decay. */
  logDecay?: Tensor | LogDecay
  /** `quadratic` reads every pair; `sorted` works in order of λ. Their results agree up to rounding. Default `auto`: the faster one for
   *  these shapes. */
  algorithm?: LambdaAlgorithm
}

/** One forward pass and what makes its gradients. */
export interface LambdaPass {
  readonly out: Tensor
  /** The gradients of Σ dOut·out; that of the decay is made where it is wanted. */
  backward(dOut: Tensor, decayWanted: boolean): LambdaGrads
}

interface LambdaGrads {
  readonly lambdaQ: Tensor
  readonly lambdaK: Tensor
  readonly v: Tensor
  readonly temperature: Tensor
  /** In the shape of the readings. */
  logDecay(readings: Tensor): Tensor | null
}

/** Causal attention by distance of scalars, exact: no T × T matrix is ever stored.
 *  Query i of Tq has time t = i + Tk − Tq and sees keys j ≤ t with scores −|λq_i − λk_j| / temperature_h − (c_t − c_j);
 *  out_i = Σ_j softmax_j(scores) v_j → [B, H, Tq, D]. Query head h reads kv head h // (H/Hkv).
 *  Gradients to all five (a LogDecay's to its high part); at λq = λk, a kink, the sign is 0. No row loses its largest weight, however
 *  small the temperature, and weights are as exact in f32 as the differences of λ and of decay readings are.
 *  Time: 'sorted' O(Tk log Tk·D), on the cpu backend and in mode webgpu; 'quadratic' O(Tq·Tk·D). Memory O(Tk·D), for 'sorted' on a GPU
 *  O(Tk log Tk·D). Sources: Tauformer and, for 'sorted', docs/attention.md; decay: Lin et al., Forgetting Transformer (2025).
 *  Throws ShapeError when shapes disagree, RangeError for 'sorted' on a backend that has only 'quadratic'. */
export function lambdaAttention(inputs: LambdaAttentionInputs): Tensor {
  const { lambdaQ, lambdaK, v, temperature, logDecay, algorithm } = inputs
  const sizes = checkInputs(inputs)
  const readings = logDecay && decayParts(logDecay).high
  const tensors = [lambdaQ, lambdaK, v, temperature, ...(readings ? [readings] : [])]
  const handles = {
    lambdaQ: lambdaQ.handle,
    lambdaK: lambdaK.handle,
    v: v.handle,
    temperature: temperature.handle,
    logDecay: decayBuffers(logDecay),
  }
  const { device } = lambdaQ
  const tape = device.tape !== undefined
  const { out, backward } = passOf(device, sizes, tape, algorithm)(device, handles, sizes, tape)
  return record('lambdaAttention', tensors, out, (dOut, wanted) => {
    const grads = backward(dOut, wanted[4] ?? false)
    return [
      grads.lambdaQ,
      grads.lambdaK,
      grads.v,
      wanted[3] ? grads.temperature : null,
      ...(readings ? [grads.logDecay(readings)] : []),
    ]
  })
}

/** From how many keys on 'sorted' is faster on the cpu backend: forward alone, and forward and backward; and from how many queries on, where they are fewer
 *  than the keys. docs/LOG.md has the figures. */
const SWEEP_FORWARD_KEYS = 96
const SWEEP_TRAINING_KEYS = 192
const SWEEP_QUERIES = 32

function passOf(
  device: Device,
  sizes: AttentionSizes,
  tape: boolean,
  algorithm: LambdaAlgorithm = 'auto',
): typeof quadraticPass {
  const { queries, keys } = sizes
  if (algorithm === 'quadratic') return quadraticPass
  if (hasSweep(device)) {
    const enough = keys >= (tape ? SWEEP_TRAINING_KEYS : SWEEP_FORWARD_KEYS) && queries >= SWEEP_QUERIES
    return enough || algorithm === 'sorted' ? sweepPass : quadraticPass
  }
  if (hasMerge(device))
    return algorithm === 'sorted' || prefersMerge(device, sizes, tape) ? mergePass : quadraticPass
  if (algorithm === 'auto') return quadraticPass
  throw new RangeError(
    `lambdaAttention: algorithm 'sorted' must run on the cpu backend or on the hand-written kernels of mode webgpu, got ${device.info.backend} ${device.info.variant}; use 'quadratic' or 'auto'`,
  )
}

/** The forward pass on buffers, for caches. */
export const attend = (device: Device, handles: LambdaHandles, sizes: AttentionSizes): Tensor =>
  passOf(device, sizes, false)(device, handles, sizes, false).out

function checkInputs({ lambdaQ, lambdaK, v, temperature, logDecay }: LambdaAttentionInputs): AttentionSizes {
  const op = 'lambdaAttention'
  if (lambdaQ.rank !== 3 || lambdaK.rank !== 3)
    throw new ShapeError(
      `${op}: lambdaQ must be [B, H, Tq] and lambdaK [B, Hkv, Tk], got ${shapeText(lambdaQ.shape)} and ${shapeText(lambdaK.shape)}`,
    )
  const sizes = attentionSizes(op, lambdaQ, lambdaK, v, logDecay, { queries: 'lambdaQ', keys: 'lambdaK' })
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
