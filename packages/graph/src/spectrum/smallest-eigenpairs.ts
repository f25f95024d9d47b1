import { type Device, Random } from '@tau/tensor'
import { checkInteger, checkPositive } from '../dense/matrix.ts'
import { checkOptions, GraphError } from '../errors.ts'
import { cpuEngine } from '../kernels/cpu-engine.ts'
import { JsPanels } from '../kernels/js-panels.ts'
import { PANEL, type PanelSpace } from '../kernels/panel-space.ts'
import { WasmPanels } from '../kernels/wasm-panels.ts'
import { type Csr, csrFromDense, toDense } from '../sparse/csr.ts'
import { breadthFirstOrder, permuted } from '../sparse/reorder.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'
import { basisColumns, chebyshevDavidson, type EigenProgress } from './chebyshev-davidson.ts'
import { DENSE_MAX, smallestDense } from './dense.ts'
import { checkSymmetric, type Eigenpairs, eigenpairsOf } from './eigenpairs.ts'
import { type KernelVectors, kernelColumn, kernelVectors, permutedKernel } from './kernel-vectors.ts'
import { lanczosBound } from './lanczos-bound.ts'

export interface EigenOptions {
  /** number of pairs, between 1 and the size */
  k: number
  /** A pair has converged when |Lx − θx| ≤ tolerance · ‖L‖; 1e-8 unless given. The error of an eigenvalue is
   *  then at most that; for a well separated eigenvalue it is about (tolerance · ‖L‖)² / gap. Use a smaller
   *  tolerance if the eigenvalues themselves are smaller than that (a path of 10⁵ nodes has 10⁻⁹). */
  tolerance?: number
  /** seed of the random first vectors, 0 unless given */
  seed?: number
  /** A vector x with L·x = 0 and no zero element: the `diagonal` of a symmetric-normalised Laplacian (see
   *  `laplacian`). Its parts on the connected components are the kernel, which is then exact and need not be
   *  searched. Unless given, ones are used if the rows of L sum to 0. */
  kernelVector?: ArrayLike<number>
  /** a cpu device whose threads are used; plain JavaScript unless given; the bits are the same */
  device?: Device
  /** 500 unless given */
  maxIterations?: number
  /** ends the search with the signal's reason */
  signal?: AbortSignal
  onProgress?: (progress: EigenProgress) => void
}

/** Up to this size all eigenpairs are computed by the full decomposition. */
const DENSE_LIMIT = 256

/** The k smallest eigenpairs of a sparse symmetric positive semidefinite matrix, such as a Laplacian (SciPy's
 *  `eigsh(L, k, which='SM')`). The method is block Chebyshev–Davidson. It does not factorise, so memory holds
 *  L and about 4k + 60 vectors. Small matrices are decomposed as a whole.
 *  Deterministic for a seed, on any device and number of threads.
 *  Throws GraphError for a matrix that is not finite and symmetric, options out of range, and a kernelVector
 *  with L·x ≠ 0. It also throws if the iterations end before all pairs have converged. */
export const smallestEigenpairs = async (laplacian: Csr, options: EigenOptions): Promise<Eigenpairs> => {
  const op = 'smallestEigenpairs'
  checkOptions(op, options, '{ k }')
  const { k, tolerance = 1e-8, seed = 0, maxIterations = 500, device, signal, onProgress } = options
  checkSymmetric(op, laplacian)
  const size = laplacian.nRows
  checkInteger(op, 'k', k, 1, size, `L has ${size} rows`)
  checkInteger(op, 'maxIterations', maxIterations, 1, Number.MAX_SAFE_INTEGER, 'use 500')
  checkPositive(op, 'tolerance', tolerance)
  signal?.throwIfAborted()
  const engine = device && cpuEngine(op, device)
  const kernel = kernelVectors(op, laplacian, options.kernelVector)
  const known = Math.min(k, kernel?.count ?? 0)
  const wanted = k - known
  const zeros = kernel ? Array.from({ length: known }, (_, c) => kernelColumn(kernel, c)) : []
  if (wanted === 0)
    return eigenpairsOf(laplacian, zeros, { method: 'chebyshev-davidson', products: 0, signal })
  if (size <= DENSE_LIMIT || basisColumns(wanted) + known > size / 2) {
    return smallOnes(laplacian, kernel, zeros, wanted, { signal, onProgress })
  }

  const random = new Random(seed)
  const order = breadthFirstOrder(laplacian)
  const matrix = permuted(laplacian, order)
  const spectrum = lanczosBound(matrix, random)
  using space: PanelSpace = engine ? new WasmPanels(engine, matrix) : new JsPanels(matrix)
  const { panels, products } = await chebyshevDavidson(space, {
    k: wanted,
    tolerance: tolerance * spectrum.bound,
    spectrum,
    kernel: kernel && permutedKernel(kernel, order),
    random,
    maxIterations,
    watch: new Watch({ signal }),
    report: (progress) => onProgress?.(progress),
  })
  const columns = Array.from({ length: wanted }, (_, j) => {
    const { data } = panels[Math.floor(j / PANEL)]
    const column = new Float64Array(size)
    for (let i = 0; i < size; i++) column[order[i]] = data[i * PANEL + (j % PANEL)]
    return column
  })
  return eigenpairsOf(laplacian, [...zeros, ...columns], { method: 'chebyshev-davidson', products, signal })
}

/** The smallest eigenpairs of a small matrix: its known kernel, then pairs of a full decomposition. Before
 *  that decomposition, the kernel is moved to the upper end of the spectrum. */
const smallOnes = async (
  laplacian: Csr,
  kernel: KernelVectors | undefined,
  zeros: Float64Array[],
  wanted: number,
  { signal, onProgress }: Pick<EigenOptions, 'signal' | 'onProgress'>,
): Promise<Eigenpairs> => {
  const size = laplacian.nRows
  if (size > DENSE_MAX) {
    throw new GraphError(
      `smallestEigenpairs: k must be at most about a third of the rows of a matrix with more than ${DENSE_MAX} rows, got k ${zeros.length + wanted} of ${size}; lower k`,
    )
  }
  const options: WatchOptions = {
    signal,
    onProgress: ({ fraction }) =>
      onProgress?.({ iteration: 0, converged: 0, wanted, fraction, residual: Number.NaN, products: 0 }),
  }
  if (!kernel) return smallestDense(laplacian, wanted, options)
  const { data } = toDense(laplacian)
  const shift = 2 * largestRowSum(laplacian)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      if (kernel.labels[i] === kernel.labels[j]) data[i * size + j] += shift * kernel.unit[i] * kernel.unit[j]
    }
  }
  const shifted = csrFromDense({ data, rows: size, cols: size })
  const { vectors } = await smallestDense(shifted, wanted, options)
  const columns = Array.from({ length: wanted }, (_, j) =>
    Float64Array.from({ length: size }, (_, i) => vectors.data[i * wanted + j]),
  )
  return eigenpairsOf(laplacian, [...zeros, ...columns], { method: 'dense', products: 0, signal })
}

/** Largest sum of magnitudes of a row, an upper bound of the eigenvalues. */
const largestRowSum = ({ nRows, indptr, values }: Csr): number => {
  let largest = 0
  for (let i = 0; i < nRows; i++) {
    let sum = 0
    for (let e = indptr[i]; e < indptr[i + 1]; e++) sum += Math.abs(values[e])
    largest = Math.max(largest, sum)
  }
  return largest
}
