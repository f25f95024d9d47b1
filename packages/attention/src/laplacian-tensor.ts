import { type Csr, checkCsr, csrFromDense, symmetryError, valueAt } from '@tau/graph'
import { type Device, ShapeError, type Tensor } from '@tau/tensor'

/** A dense symmetric matrix, row-major [size, size]. */
export interface DenseLaplacian {
  readonly dense: ArrayLike<number>
  readonly size: number
}

/** L and Lᵀ may differ by this fraction of the largest entry. Such a difference counts as rounding and is
 *  averaged. */
const SYMMETRY_TOLERANCE = 1e-6
const MAX_DIM = 16_384

/** A graph Laplacian [D, D] on a device, in the form that {@link taumode}'s kernels read: edges w_ij = −L_ij
 *  by rows, and row sums ρ_i = Σ_j L_ij, which are 0 up to rounding for D − W. Then
 *    xᵀLx = Σ_{i<j} w_ij (x_i − x_j)² + Σ_i ρ_i x_i²
 *  Its memory outlives scopes: dispose it. */
export class LaplacianTensor implements Disposable {
  readonly device: Device
  /** The given matrix, on the host. A model saves this. */
  readonly csr: Csr
  /** D, the length of the vectors whose energy it gives. */
  readonly dim: number
  /** Number of stored edges. Each edge counts in both directions. */
  readonly edgeCount: number
  /** The largest number of edges in a row. */
  readonly maxDegree: number
  /** [D + 1]: the index where each row's edges start. */
  readonly first: Tensor<'i32'>
  /** [D]: the index where each row's edges to greater columns start. */
  readonly upper: Tensor<'i32'>
  /** [edges]: the column of each edge. Without edges it has one element, 0. */
  readonly columns: Tensor<'i32'>
  /** [edges], like `columns`: w_ij. */
  readonly weights: Tensor
  /** [D]: ρ_i. */
  readonly rowSums: Tensor

  private constructor(device: Device, csr: Csr, lists: EdgeLists) {
    const { first, upper, columns, weights, rowSums } = lists
    this.device = device
    this.csr = csr
    this.dim = rowSums.length
    this.edgeCount = columns.length
    this.maxDegree = first.reduce((most, start, i) => Math.max(most, (first[i + 1] ?? start) - start), 0)
    const some = (values: number[]) => (values.length > 0 ? values : [0])
    const tensors = device.unscoped(() => ({
      first: device.tensor(first, [first.length], 'i32'),
      upper: device.tensor(upper, [upper.length], 'i32'),
      columns: device.tensor(some(columns), [Math.max(1, columns.length)], 'i32'),
      weights: device.tensor(some(weights)),
      rowSums: device.tensor(rowSums),
    }))
    this.first = tensors.first
    this.upper = tensors.upper
    this.columns = tensors.columns
    this.weights = tensors.weights
    this.rowSums = tensors.rowSums
  }

  /** Copies a Laplacian, CSR or dense, to a device. Throws ShapeError unless it is square with 1 ≤ D ≤ 16384.
   *  Throws RangeError if an entry is not finite in f32, or if L_ij and L_ji differ by more than 1e-6 of the
   *  largest entry. */
  static from(device: Device, laplacian: Csr | DenseLaplacian): LaplacianTensor {
    const csr = checked(laplacian)
    return new LaplacianTensor(device, csr, edgeLists(csr))
  }

  dispose(): void {
    for (const tensor of [this.first, this.upper, this.columns, this.weights, this.rowSums]) tensor.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

interface EdgeLists {
  first: number[]
  upper: number[]
  columns: number[]
  weights: number[]
  rowSums: number[]
}

function checked(laplacian: Csr | DenseLaplacian): Csr {
  const matrix = 'dense' in laplacian ? fromDense(laplacian) : laplacian
  const { nRows, nCols, values } = matrix
  if (nRows !== nCols || nRows < 1 || nRows > MAX_DIM)
    throw new ShapeError(
      `LaplacianTensor: the matrix must be square with 1 to ${MAX_DIM} rows, got [${nRows}, ${nCols}]`,
    )
  checkCsr('LaplacianTensor', matrix)
  const bad = values.findIndex((value) => !Number.isFinite(Math.fround(value)))
  if (bad >= 0)
    throw new RangeError(
      `LaplacianTensor: entries must be finite in 32 bits, got ${values[bad]} in column ${matrix.indices[bad]}; rebuild the graph`,
    )
  const largest = values.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0)
  const { error, row, col } = symmetryError(matrix)
  if (error > SYMMETRY_TOLERANCE * largest)
    throw new RangeError(
      `LaplacianTensor: the matrix must be symmetric, got ${valueAt(matrix, row, col)} at (${row}, ${col}) and ${valueAt(matrix, col, row)} at (${col}, ${row}); use the Laplacian D − W or the symmetric one`,
    )
  return matrix
}

function fromDense({ dense, size }: DenseLaplacian): Csr {
  if (!(Number.isInteger(size) && size >= 1 && size <= MAX_DIM && dense.length === size * size))
    throw new ShapeError(
      `LaplacianTensor: a dense matrix must hold size² numbers, got ${dense.length} for size ${size}`,
    )
  return csrFromDense({ data: Float64Array.from(dense), rows: size, cols: size })
}

/** Averages L and Lᵀ, drops the diagonal and zeros, and sums whole rows in f64. */
function edgeLists(matrix: Csr): EdgeLists {
  const size = matrix.nRows
  const edges: { column: number; value: number }[][] = Array.from({ length: size }, () => [])
  const diagonal = new Float64Array(size)
  for (let i = 0; i < size; i++)
    for (let e = matrix.indptr[i]; e < matrix.indptr[i + 1]; e++) {
      const j = matrix.indices[e]
      if (i === j) diagonal[i] = matrix.values[e]
      else if (i < j || valueAt(matrix, j, i) === 0) {
        const value = (matrix.values[e] + valueAt(matrix, j, i)) / 2
        edges[i].push({ column: j, value })
        edges[j].push({ column: i, value })
      }
    }
  const lists: EdgeLists = { first: [0], upper: [], columns: [], weights: [], rowSums: [] }
  edges.forEach((row, i) => {
    const sorted = row.filter(({ value }) => value !== 0).sort((a, b) => a.column - b.column)
    const below = sorted.findIndex(({ column }) => column > i)
    lists.upper.push(lists.columns.length + (below < 0 ? sorted.length : below))
    for (const { column, value } of sorted) {
      lists.columns.push(column)
      lists.weights.push(-value)
    }
    lists.first.push(lists.columns.length)
    lists.rowSums.push(sorted.reduce((sum, { value }) => sum + value, diagonal[i]))
  })
  return lists
}
