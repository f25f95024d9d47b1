import type { DenseMatrix } from './matrix.ts'

/** Reduced QR of a tall matrix x [m, n]: q [m, n] with orthonormal columns, and r [n, n] upper triangular,
 *  with x = q r.
 *  A column that depends on earlier columns gives a zero column of q and a zero on the diagonal of r.
 *  It is Gram–Schmidt with four earlier columns at a time. A pass is repeated if cancellation took half of
 *  the column ("twice is enough", Kahan and Parlett).
 *  Before each column, `step` is called with the share that is done.
 *  ml-matrix's Householder QR takes 0.5 s for [3400, 138]; this takes 0.1 s. The text embedder runs it four
 *  times. */
export const qr = (
  x: DenseMatrix,
  step: (share: number) => void = () => {},
): { q: DenseMatrix & { data: Float64Array }; r: DenseMatrix & { data: Float64Array } } => {
  const { rows: m, cols: n } = x
  const columns = Array.from({ length: n }, (_, j) =>
    Float64Array.from({ length: m }, (_, i) => x.data[i * n + j]),
  )
  const r = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    step((j / n) ** 2)
    const column = columns[j]
    const original = norm(column)
    let before = original
    let after = original
    for (let pass = 0; pass < 3; pass++) {
      for (let i = 0; i < j; i += 4) removeProjections(column, columns, i, Math.min(j, i + 4), r, j, n)
      after = norm(column)
      if (after > 0.5 * before) break
      before = after
    }
    const isDependent = after <= 1e-13 * original
    const scale = isDependent ? 0 : 1 / after
    for (let i = 0; i < m; i++) column[i] *= scale
    r[j * n + j] = isDependent ? 0 : after
  }
  const q = new Float64Array(m * n)
  for (let j = 0; j < n; j++) for (let i = 0; i < m; i++) q[i * n + j] = columns[j][i]
  return { q: { data: q, rows: m, cols: n }, r: { data: r, rows: n, cols: n } }
}

/** column −= Σ (columns_i · column) columns_i for i in [start, end), at most four; the dot products are added
 *  to r. */
const removeProjections = (
  column: Float64Array,
  columns: Float64Array[],
  start: number,
  end: number,
  r: Float64Array,
  j: number,
  n: number,
): void => {
  if (end - start < 4) {
    for (let i = start; i < end; i++) {
      const basis = columns[i]
      let dot = 0
      for (let e = 0; e < column.length; e++) dot += basis[e] * column[e]
      for (let e = 0; e < column.length; e++) column[e] -= dot * basis[e]
      r[i * n + j] += dot
    }
    return
  }
  const [a, b, c, d] = columns.slice(start, end)
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  for (let e = 0; e < column.length; e++) {
    const v = column[e]
    s0 += a[e] * v
    s1 += b[e] * v
    s2 += c[e] * v
    s3 += d[e] * v
  }
  for (let e = 0; e < column.length; e++) column[e] -= s0 * a[e] + s1 * b[e] + s2 * c[e] + s3 * d[e]
  r[start * n + j] += s0
  r[(start + 1) * n + j] += s1
  r[(start + 2) * n + j] += s2
  r[(start + 3) * n + j] += s3
}

const norm = (column: Float64Array): number => {
  let sum = 0
  for (let e = 0; e < column.length; e++) sum += column[e] * column[e]
  return Math.sqrt(sum)
}
