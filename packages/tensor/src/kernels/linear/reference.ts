/** x [rows, k] · Wᵀ of W [n, k], in plain f64 loops. */
export function linearReference(x: Float64Array, weight: Float64Array, k: number): Float64Array {
  const n = weight.length / k
  return Float64Array.from({ length: (x.length / k) * n }, (_, index) => {
    const row = Math.floor(index / n) * k
    const column = (index % n) * k
    let total = 0
    for (let i = 0; i < k; i++) total += x[row + i] * weight[column + i]
    return total
  })
}
