/** Softmax in plain f64 loops. The kernels are tested against it. */
export function softmaxReference(x: Float64Array, rows: number, cols: number): Float64Array {
  const y = new Float64Array(rows * cols)
  for (let row = 0; row < rows; row++) {
    let peak = Number.NEGATIVE_INFINITY
    for (let col = 0; col < cols; col++) peak = Math.max(peak, x[row * cols + col])
    let total = 0
    for (let col = 0; col < cols; col++) total += Math.exp(x[row * cols + col] - peak)
    for (let col = 0; col < cols; col++) y[row * cols + col] = Math.exp(x[row * cols + col] - peak) / total
  }
  return y
}
