import { clamp, permute, reshape, rmsNorm, type Tensor } from '@tau/tensor'
import type { PositionalEncoding } from '../position/encoding.ts'

/** Bound of q, k and v. It is part of the definition: docs/definition.md, section 4. */
export const QKV_CLAMP = 5

/** A projection [B, T, heads·dim], clamped → [B, heads, T, dim]. */
export function splitHeads(projected: Tensor, heads: number): Tensor {
  const [batch, length] = projected.shape
  const bounded = clamp(projected, -QKV_CLAMP, QKV_CLAMP)
  return permute(reshape(bounded, [batch, length, heads, -1]), [0, 2, 1, 3])
}

/** The queries or keys of a group of heads. A kind uses the vectors. If it has one kernel for all steps, it
 *  uses the projection instead. */
export class HeadVectors {
  /** Output of the projection, [B, T, heads·M]. */
  readonly projected: Tensor
  readonly heads: number
  readonly encoding: PositionalEncoding
  /** Index of the first position in the sequence. */
  readonly start: number
  readonly #norm: ((x: Tensor) => Tensor) | undefined
  #vectors: Tensor | undefined

  /** @param norm is applied after rmsnorm, if it is given */
  constructor(
    projected: Tensor,
    heads: number,
    encoding: PositionalEncoding,
    start: number,
    norm: ((x: Tensor) => Tensor) | undefined,
  ) {
    this.projected = projected
    this.heads = heads
    this.encoding = encoding
    this.start = start
    this.#norm = norm
  }

  /** Whether only clamp, encoding and rmsnorm are applied to the projection. */
  get isPlain(): boolean {
    return this.#norm === undefined
  }

  /** The vectors [B, heads, T, M]: clamped, encoded and normalised. They are computed at first use. */
  get vectors(): Tensor {
    if (!this.#vectors) {
      const y = rmsNorm(this.encoding.encode(splitHeads(this.projected, this.heads), this.start))
      this.#vectors = this.#norm?.(y) ?? y
    }
    return this.#vectors
  }
}
