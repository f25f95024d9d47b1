/** RoPE in plain f64 loops: x [n, T, D] → the same shape. Tests compare the kernels with it. */
export function ropeReference(
  x: Float64Array,
  length: number,
  dim: number,
  start = 0,
  base = 10_000,
): Float64Array {
  const y = new Float64Array(x.length)
  const half = dim / 2
  for (let row = 0; row < x.length / dim; row++)
    for (let c = 0; c < half; c++) {
      const angle = (start + (row % length)) * base ** ((-2 * c) / dim)
      const x1 = x[row * dim + c]
      const x2 = x[row * dim + half + c]
      y[row * dim + c] = x1 * Math.cos(angle) + x2 * Math.sin(angle)
      y[row * dim + half + c] = x2 * Math.cos(angle) - x1 * Math.sin(angle)
    }
  return y
}
