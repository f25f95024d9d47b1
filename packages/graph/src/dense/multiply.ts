import type { DenseMatrix } from './matrix.ts'

/** Dense product a [M, K] · b [K, N] → [M, N]. Before each row, `step` is called with the share that is
 *  done. */
export const multiply = (
  a: DenseMatrix,
  b: DenseMatrix,
  step: (share: number) => void = () => {},
): DenseMatrix & { data: Float64Array } => {
  const data = new Float64Array(a.rows * b.cols)
  for (let i = 0; i < a.rows; i++) {
    step(i / a.rows)
    const out = data.subarray(i * b.cols, (i + 1) * b.cols)
    for (let k = 0; k < a.cols; k++) {
      const weight = a.data[i * a.cols + k]
      const from = k * b.cols
      for (let j = 0; j < out.length; j++) out[j] += weight * b.data[from + j]
    }
  }
  return { data, rows: a.rows, cols: b.cols }
}

/** xᵀ */
export const transposed = ({ data, rows, cols }: DenseMatrix): DenseMatrix & { data: Float64Array } => {
  const out = new Float64Array(data.length)
  const block = 64 // both sides of a block stay in cache
  for (let i0 = 0; i0 < rows; i0 += block) {
    for (let j0 = 0; j0 < cols; j0 += block) {
      const iEnd = Math.min(rows, i0 + block)
      const jEnd = Math.min(cols, j0 + block)
      for (let i = i0; i < iEnd; i++) {
        for (let j = j0; j < jEnd; j++) out[j * rows + i] = data[i * cols + j]
      }
    }
  }
  return { data: out, rows: cols, cols: rows }
}
