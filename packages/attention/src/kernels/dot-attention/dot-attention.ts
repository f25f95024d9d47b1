import { type Device, record, ShapeError, shapeText, sum, type Tensor } from '@tau/tensor'
import type { Handle } from '@tau/tensor/kernel'
import {
  type AttentionSizes,
  attentionSizes,
  checkDim,
  type DecayBuffers,
  type DecayHandles,
  decayBuffers,
  decayGrad,
  decayHandles,
  emptyDecayGrads,
  spansOf,
} from '../attention-shape.ts'
import { decayParts, type LogDecay } from '../decay/decay.ts'
import { rowDots } from '../row-dots/row-dots.ts'
import { kernelsOf } from '../table.ts'

/** Buffers of the inputs. k, v and logDecay have `capacity` rows per head. */
export interface DotHandles {
  readonly q: Handle
  readonly k: Handle
  readonly v: Handle
  readonly logDecay: DecayBuffers | undefined
}

export interface DotSizes extends AttentionSizes {
  /** Length of a query and of a key vector. */
  readonly dim: number
  /** The factor of q·k. */
  readonly scale: number
  /** Number of newest keys that a query sees, its own included. Infinity: all. */
  readonly window: number
}

/** The forward pass. It writes each row's largest score and 1 / mass to stats [B·H·Tq, 2]. */
export type DotAttentionKernel = (inputs: DotHandles, out: Handle, stats: Handle, sizes: DotSizes) => void

/** The backward pass. capacity equals keys. With p the softmax weights, ds_ij = p_ij (dOut_i·v_j − delta_i).
 *  The keys are cut into `spans` disjoint spans. dQ [B, H, spans, Tq, D] are sums over the keys of one span.
 *  dK is [B, Hkv, Tk, D] and dV is [B, Hkv, Tk, Dv]. For logDecay see DecayGrads; it is undefined if nobody
 *  asks for it. */
export type DotAttentionGradKernel = (
  inputs: DotHandles,
  saved: { readonly stats: Handle; readonly dOut: Handle; readonly delta: Handle },
  grads: {
    readonly dQ: Handle
    readonly dK: Handle
    readonly dV: Handle
    readonly logDecay: DecayHandles | undefined
  },
  sizes: DotSizes,
  spans: number,
) => void

export interface DotAttentionInputs {
  /** [B, H, Tq, D] */
  q: Tensor
  /** [B, Hkv, Tk, D] */
  k: Tensor
  /** [B, Hkv, Tk, Dv] */
  v: Tensor
  /** [B, H, Tk] or [H, Tk], not decreasing along time. Default: no decay. */
  logDecay?: Tensor | LogDecay | undefined
  /** Number of newest keys that a query sees, its own included. Default: all. */
  window?: number | undefined
}

/** Causal scaled dot-product attention (docs/definition.md, section 3) → [B, H, Tq, Dv]:
 *    out_i = Σ_j softmax_j(q_i·k_j / √D − (c_t − c_j)) v_j   for t − window < j ≤ t = i + Tk − Tq
 *  Query head h reads kv head h // (H/Hkv). No T × T matrix is stored. With a window it costs O(T·window) on
 *  the cpu backend. Gradients go to all four tensors; the gradient of a LogDecay goes to its high part. It is
 *  the baseline of {@link lambdaAttention}. Source: Vaswani et al. (2017), eq. 1; Dao et al., FlashAttention
 *  (2022); Lin et al., Forgetting Transformer (2025) for the decay. Throws ShapeError if shapes disagree, and
 *  RangeError for a bad window. */
export function dotAttention({ q, k, v, logDecay, window }: DotAttentionInputs): Tensor {
  const sizes = checkInputs(q, k, v, logDecay, window)
  const { device } = q
  const { batch, heads, queries, dim } = sizes
  const handles = { q: q.handle, k: k.handle, v: v.handle, logDecay: decayBuffers(logDecay) }
  const { out, stats } = attendDot(device, handles, sizes)
  const readings = logDecay && decayParts(logDecay).high
  return record('dotAttention', [q, k, v, ...(readings ? [readings] : [])], out, (dOut, wanted) => {
    const spans = spansOf(sizes)
    const delta = rowDots(dOut, out)
    const dQ = device.empty([batch, heads, spans, queries, dim])
    const dK = device.empty(k.shape)
    const dV = device.empty(v.shape)
    const decayGrads = wanted[3] ? emptyDecayGrads(device, sizes, spans) : undefined
    kernelsOf(device).dotAttentionGrad(
      handles,
      { stats: stats.handle, dOut: dOut.handle, delta: delta.handle },
      { dQ: dQ.handle, dK: dK.handle, dV: dV.handle, logDecay: decayHandles(decayGrads) },
      sizes,
      spans,
    )
    return [
      spans === 1 ? dQ.view(q.shape) : sum(dQ, [2]),
      dK,
      dV,
      ...(readings ? [decayGrad(decayGrads, readings, sizes)] : []),
    ]
  })
}

/** The forward pass on buffers. The operation and the caches call it. */
export function attendDot(
  device: Device,
  handles: DotHandles,
  sizes: DotSizes,
): { out: Tensor; stats: Tensor } {
  const { batch, heads, queries, valueDim } = sizes
  const out = device.empty([batch, heads, queries, valueDim])
  const stats = device.empty([batch * heads * queries, 2])
  kernelsOf(device).dotAttention(handles, out.handle, stats.handle, sizes)
  return { out, stats }
}

function checkInputs(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  logDecay: Tensor | LogDecay | undefined,
  window = Infinity,
): DotSizes {
  const op = 'dotAttention'
  if (q.rank !== 4 || k.rank !== 4 || q.shape[3] !== k.shape[3])
    throw new ShapeError(
      `${op}: q must be [B, H, Tq, D] and k [B, Hkv, Tk, D] with equal D, got ${shapeText(q.shape)} and ${shapeText(k.shape)}`,
    )
  const dim = q.shape[3]
  checkDim(op, 'q', dim)
  checkWindow(op, window)
  return {
    ...attentionSizes(op, q, k, v, logDecay, { queries: 'q', keys: 'k' }),
    dim,
    scale: 1 / Math.sqrt(dim),
    window,
  }
}

/** Throws RangeError unless the window is a whole number of at least 1, or Infinity. */
export function checkWindow(op: string, window: number): void {
  if (!((Number.isInteger(window) && window >= 1) || window === Infinity))
    throw new RangeError(`${op}: window must be a whole number of at least 1, or Infinity, got ${window}`)
}

/** The window in keys, for a kernel. A window of all keys sees everything. */
export const windowKeys = ({ window, keys }: Pick<DotSizes, 'window' | 'keys'>): number =>
  Math.max(1, Math.min(window, keys))
