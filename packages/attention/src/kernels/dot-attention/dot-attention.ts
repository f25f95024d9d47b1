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

/** Buffers of the inputs; k, v and logDecay have `capacity` rows per head. */
export interface DotHandles {
  readonly q: Handle
  readonly k: Handle
  readonly v: Handle
  readonly logDecay: DecayBuffers | undefined
}

export interface DotSizes extends AttentionSizes {
  /** Length of a query and of a key vector. */
  readonly dim: number
  /** What q·k is multiplied by. */
  readonly scale: number
  /** Newest keys that a query sees, itself included; Infinity: all. */
  readonly window: number
}

/** The forward pass. stats [B·H·Tq, 2] receives each row's largest score and 1 / mass. */
export type DotAttentionKernel = (inputs: DotHandles, out: Handle, stats: Handle, sizes: DotSizes) => void

/** The backward pass; capacity = keys. With p the weights and ds_ij = p_ij (dOut_i·v_j − delta_i): dQ [B, H, spans, Tq, D]
 *  are sums over the keys of each span, every key in one span; dK [B, Hkv, Tk, D], dV [B, Hkv, Tk, Dv],
 *  logDecay: see DecayGrads (undefined: not
 *  wanted). */
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
  /** [B, H, Tk] or [H, Tk], not decreasing along time; default: no decay. */
  logDecay?: Tensor | LogDecay | undefined
  /** Newest keys that a query sees, itself included. Default: all. */
  window?: number | undefined
}

/** Causal scaled dot-product attention, streaming: query i of Tq has time t = i + Tk − Tq,
 *  out_i = Σ_j softmax_j(q_i·k_j / √D − (c_t − c_j)) v_j over t − window < j ≤ t → [B, H, Tq, Dv]. Query head h reads kv head h // (H/Hkv).
 *  With a window that costs O(T·window) on the cpu backend. Gradients to all four tensors (a LogDecay's to its high part). The baseline of {@link lambdaAttention}.
 *  Source: Vaswani et al. (2017), eq. 1; Dao et al., FlashAttention (2022); decay: Lin et al., Forgetting Transformer (2025).
 *  Throws ShapeError when shapes disagree. */
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

/** The forward pass on buffers, for the operation and for caches. */
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

/** The window in keys for a kernel: as many as there are sees all. */
export const windowKeys = ({ window, keys }: Pick<DotSizes, 'window' | 'keys'>): number =>
  Math.max(1, Math.min(window, keys))
