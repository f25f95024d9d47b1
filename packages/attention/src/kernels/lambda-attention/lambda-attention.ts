import { type Device, record, ShapeError, shapeText, type Tensor } from '@tau/tensor'
import { checkDevice, type Handle } from '@tau/tensor/kernel'
import { type AttentionSizes, attentionSizes, type DecayHandles, decayBuffers } from '../attention-shape.ts'
import { decayParts, type LogDecay } from '../decay/decay.ts'
import { hasMerge, mergePass, prefersMerge } from './merge/pass.ts'
import type { LambdaHandles } from './pass.ts'
import { quadraticPass } from './quadratic/pass.ts'
import { hasSweep, sweepPass } from './sweep/pass.ts'

/** The forward pass over all pairs. It writes:
 *  - out [B, H, Tq, D];
 *  - stats [B·H·Tq, STATS], see stats.ts;
 *  - rest = out − centre [B, H, Tq, D], if it is given.
 *  The centre of a row is v_top if the top key has more than half of the weight, else 0. With v_top as
 *  centre, rest = Σ p_j (v_j − v_top) keeps its digits even if the top key has almost all of the weight. */
export type LambdaAttentionKernel = (
  inputs: LambdaHandles,
  outputs: { readonly out: Handle; readonly rest: Handle | undefined; readonly stats: Handle },
  sizes: AttentionSizes,
) => void

/** The backward pass over all pairs. capacity equals keys. With p the softmax weights,
 *    ds_ij = p_ij ((dOut_i·v_j − dOut_i·centre_i) − dOut_i·rest_i).
 *  The keys are cut into `spans` disjoint spans. dLambdaQ [B, H, spans, Tq] and dTemperature [B, H, spans]
 *  are sums over the keys of one span. dLambdaK is [B, Hkv, Tk] and dV is [B, Hkv, Tk, D]. For logDecay see
 *  DecayGrads; it is undefined if nobody asks for it. */
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
  /** `quadratic` reads every pair; `sorted` works in order of λ. Their results agree up to rounding. The
   *  default, `auto`, takes the faster one for these shapes. */
  algorithm?: LambdaAlgorithm
}

/** Causal attention with scores from the distance of scalars (docs/definition.md, section 3) → [B, H, Tq, D]:
 *    score_ij = −|λq_i − λk_j| / temperature_h − (c_t − c_j)   for j ≤ t = i + Tk − Tq
 *    out_i = Σ_j softmax_j(score_ij) v_j
 *  Query head h reads kv head h // (H/Hkv).
 *
 *  The result is exact, and no T × T matrix is stored. A row keeps its largest weight at any temperature.
 *  Weights in f32 are as exact as the differences of λ and of the decay readings. All five inputs get
 *  gradients; the gradient of a LogDecay goes to its high part. At λq = λk the score has a kink, and its
 *  derivative is taken as 0.
 *
 *  - Time: 'sorted' O(Tk log Tk·D), on the cpu backend and in mode webgpu; 'quadratic' O(Tq·Tk·D).
 *  - Memory: O(Tk·D). 'sorted' on a GPU takes O(Tk log Tk·D).
 *  - Throws ShapeError if shapes disagree, and RangeError for 'sorted' on a backend that has only 'quadratic'.
 *  - Sources: Tauformer; docs/attention.md for 'sorted'; the decay: Lin et al., Forgetting Transformer (2025). */
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

/** The least numbers of keys for which 'sorted' is faster on the cpu backend: for a forward pass alone, and
 *  for forward and backward. The third is the least number of queries. docs/LOG.md has the measurements. */
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

/** The forward pass on buffers. Decode caches call it. */
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
