import { polarExpress } from './orthogonalize.ts'

/** A matrix in f64, row-major. */
export interface Matrix {
  readonly rows: number
  readonly cols: number
  readonly data: Float64Array
}

export const transposed = ({ rows, cols, data }: Matrix): Matrix => ({
  rows: cols,
  cols: rows,
  data: data.map((_, i) => data[(i % rows) * cols + Math.floor(i / rows)]),
})

export function multiplied(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.rows * b.cols)
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j < b.cols; j++)
      for (let k = 0; k < a.cols; k++) data[i * b.cols + j] += a.data[i * a.cols + k] * b.data[k * b.cols + j]
  return { rows: a.rows, cols: b.cols, data }
}

/** X ← aX + (bG + cG²)X with G = XXᵀ, starting at X = x / ‖x‖ / 1.01, as in the paper. */
export function orthogonalizeReference(x: Matrix, iterations: number): Matrix {
  const norm = Math.hypot(...x.data)
  let iterate: Matrix = { ...x, data: x.data.map((value) => (norm === 0 ? 0 : value / norm / 1.01)) }
  for (const [a, b, c] of polarExpress(iterations)) {
    const gram = multiplied(iterate, transposed(iterate))
    const square = multiplied(gram, gram)
    const polynomial = { ...gram, data: gram.data.map((value, i) => b * value + c * square.data[i]) }
    const { data } = multiplied(polynomial, iterate)
    iterate = { ...iterate, data: iterate.data.map((value, i) => a * value + data[i]) }
  }
  return iterate
}
