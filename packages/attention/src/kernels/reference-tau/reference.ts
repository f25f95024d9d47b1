/** The reference implementation's τ in plain f64 loops, x [n, D] → [n]. */
export function referenceTauReference(
  x: Float64Array,
  dim: number,
  middle: 'median' | 'mean',
  eps: number,
): Float64Array {
  return Float64Array.from({ length: x.length / dim }, (_, row) => {
    const sorted = x.slice(row * dim, (row + 1) * dim).sort()
    const half = dim >> 1
    const median = dim % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
    const mean = sorted.reduce((sum, value) => sum + value, 0) / dim
    return Math.max(middle === 'median' ? median : mean, 1e-10, eps)
  })
}
