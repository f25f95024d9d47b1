import { clamp, permute, reshape, rmsNorm, type Tensor } from '@tau/tensor'
import type { PositionalEncoding } from '../position/encoding.ts'

/** Bound of q, k and v. Part of the definition: docs/definition.md, section 4. */
export const QKV_CLAMP = 5

/** A projection [B, T, heads·dim], clamped → [B, heads, T, dim]. */
export function splitHeads(projected: Tensor, heads: number): Tensor {
  const [batch, length] = projected.shape
  const bounded = clamp(projected, -QKV_CLAMP, QKV_CLAMP)
  return permute(reshape(bounded, [batch, length, heads, -1]), [0, 2, 1, 3])
}

/** The queries or keys of a group of heads. A kind takes the vectors, or the projection they are made of if it has one kernel for
 *  all of it. */
export class HeadVectors {
  /** [B, T, heads·M], as the projection gave it. */
  readonly projected: Tensor
  readonly heads: number
  readonly encoding: PositionalEncoding
  /** Time of the first position. */
  readonly start: number
  readonly #norm: ((x: Tensor) => Tensor) | undefined
  #vectors: Tensor | undefined

  /** @param norm what comes after rmsnorm, if anything */
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

  /** Whether the vectors are clamp, encoding and rmsnorm of the projection, and nothing else. */
  get isPlain(): boolean {
    return this.#norm === undefined
  }

  /** [B, heads, T, M]: clamped, encoded and normalised. Made when first asked for. */
  get vectors(): Tensor {
    if (!this.#vectors) {
      const y = rmsNorm(this.encoding.encode(splitHeads(this.projected, this.heads), this.start))
      this.#vectors = this.#norm?.(y) ?? y
    }
    return this.#vectors
  }
}
