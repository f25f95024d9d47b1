import { ropeReference } from '../rope/reference.ts'
import { taumodeReference } from '../taumode/reference.ts'

export interface RotaryTaumodeCase {
  readonly batch: number
  readonly length: number
  readonly heads: number
  readonly dim: number
  readonly limit: number
  readonly start?: number
  readonly base?: number
  readonly eps?: number
}

/** The chain in plain f64 loops: y [B, T, H, D] is clamped, split into heads [B, H, T, D], rotated, and
 *  divided by its root mean square. Then λ [B, H, T] is computed with a dense L and one τ per head. */
export function rotaryTaumodeReference(
  y: Float64Array,
  laplacian: ArrayLike<number>,
  tau: (head: number) => number,
  { batch, length, heads, dim, limit, start, base, eps }: RotaryTaumodeCase,
): Float64Array {
  const vectors = new Float64Array(y.length)
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < length; t++)
      for (let h = 0; h < heads; h++)
        for (let c = 0; c < dim; c++) {
          const value = y[((b * length + t) * heads + h) * dim + c]
          vectors[((b * heads + h) * length + t) * dim + c] = Math.min(Math.max(value, -limit), limit)
        }
  const turned = ropeReference(vectors, length, dim, start, base)
  for (let row = 0; row < turned.length; row += dim) {
    const vector = turned.subarray(row, row + dim)
    const square = vector.reduce((sum, value) => sum + value * value, 0)
    const scale = 1 / Math.sqrt(square / dim + 1e-6)
    vector.forEach((value, c) => {
      vector[c] = scale * value
    })
  }
  const tauOfRow = (row: number) => tau(Math.floor(row / length) % heads)
  return taumodeReference(turned, laplacian, dim, tauOfRow, eps).lambda
}
