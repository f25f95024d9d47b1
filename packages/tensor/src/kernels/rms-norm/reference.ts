/** x / √(mean x² + eps), row by row. */
export function rmsNormReference(x: Float64Array, cols: number, eps: number): Float64Array {
  const y = x.slice()
  for (let start = 0; start < x.length; start += cols) {
    const row = y.subarray(start, start + cols)
    const root = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / cols + eps)
    row.forEach((value, i) => {
      row[i] = value / root
    })
  }
  return y
}
