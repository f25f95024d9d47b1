/** Taumode in plain f64 loops with a dense L [D, D]: x [n, D], one τ per row → energies and λ [n]. */
export function taumodeReference(
  x: Float64Array,
  laplacian: ArrayLike<number>,
  dim: number,
  tau: (row: number) => number,
  eps = 1e-6,
): { energy: Float64Array; lambda: Float64Array } {
  const rows = x.length / dim
  const energy = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const v = x.subarray(row * dim, (row + 1) * dim)
    let form = 0
    let square = 0
    for (let i = 0; i < dim; i++) {
      square += v[i] * v[i]
      for (let j = 0; j < dim; j++) form += v[i] * laplacian[i * dim + j] * v[j]
    }
    energy[row] = Math.max(0, form / (square + eps))
  }
  return { energy, lambda: energy.map((e, row) => e / (e + tau(row))) }
}
