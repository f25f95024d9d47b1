/** Layer normalisation of each row of `cols` numbers. */
export function layerNormReference(x: Float64Array, cols: number, eps: number): Float64Array {
  const out = new Float64Array(x.length)
  for (let start = 0; start < x.length; start += cols) {
    const row = x.subarray(start, start + cols)
    const mean = row.reduce((sum, value) => sum + value, 0) / cols
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cols
    out.set(
      row.map((value) => (value - mean) / Math.sqrt(variance + eps)),
      start,
    )
  }
  return out
}
