import { Random } from '@tau/tensor'
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { GraphError } from '../errors.ts'
import { type Csr, checkCsr, diagonal, spmv, symmetryError, toDense } from '../sparse/csr.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'

export interface LaplacianCheckOptions extends WatchOptions {
  /** expected number of rows and columns, e.g. the head dim */
  size?: number
  /** 'zero' (the default): rows must sum to 0, as in D − W; 'any' for a symmetric-normalised Laplacian */
  rowSums?: 'zero' | 'any'
  /** errors up to tolerance × the largest magnitude in L are rounding; 1e-6 (an L that went through f32) unless given */
  tolerance?: number
}

export interface LaplacianVerdict {
  ok: boolean
  /** one sentence with its values per broken rule; empty when ok */
  problems: string[]
  size: [number, number]
  /** largest magnitude in L */
  largest: number
  /** max |L_ij − L_ji| */
  symmetryError: number
  /** max |Σ_j L_ij| */
  rowSumError: number
  /** smallest eigenvalue, or a lower bound of it, or an estimate from above: see `psdMethod` */
  minEigenvalue: number
  /** gershgorin: a proved lower bound;  eigenvalues: all were computed;  power: an estimate by shifted power iteration (size > 512) */
  psdMethod: 'gershgorin' | 'eigenvalues' | 'power' | 'none'
}

/** Is L a usable Laplacian: well formed, of the right size, finite, symmetric, rows summing to 0, positive semidefinite?
 *  Never throws for a bad L: the verdict says what is wrong, with the values. Throws the signal's reason when it is aborted. */
export const checkLaplacian = (
  laplacian: Csr,
  { size, rowSums = 'zero', tolerance = 1e-6, ...options }: LaplacianCheckOptions = {},
): LaplacianVerdict => {
  const watch = new Watch(options)
  const verdict: LaplacianVerdict = {
    ok: false,
    problems: [],
    size: [laplacian?.nRows, laplacian?.nCols],
    largest: Number.NaN,
    symmetryError: Number.NaN,
    rowSumError: Number.NaN,
    minEigenvalue: Number.NaN,
    psdMethod: 'none',
  }
  const { problems } = verdict
  try {
    checkCsr('laplacian', laplacian)
  } catch (error) {
    problems.push((error as Error).message.replace(/^laplacian: (the matrix )?/, ''))
    return verdict
  }
  const { nRows, nCols, values } = laplacian
  verdict.largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
  if (nRows !== nCols || (size !== undefined && nRows !== size)) {
    const wanted = size === undefined ? 'square' : `[${size}, ${size}]`
    problems.push(
      `must be ${wanted}, got [${nRows}, ${nCols}]; rebuild the manifold with that many dimensions`,
    )
  }
  if (!Number.isFinite(verdict.largest)) {
    const at = values.findIndex((value) => !Number.isFinite(value))
    const row = laplacian.indptr.findIndex((start) => start > at) - 1
    problems.push(`must be finite, got ${values[at]} at (${row}, ${laplacian.indices[at]})`)
  }
  if (nRows !== nCols || !Number.isFinite(verdict.largest)) return verdict

  const bound = tolerance * verdict.largest
  const asymmetry = symmetryError(laplacian)
  verdict.symmetryError = asymmetry.error
  if (asymmetry.error > bound) {
    const { row, col, error } = asymmetry
    problems.push(
      `must be symmetric, got |L[${row}, ${col}] - L[${col}, ${row}]| = ${error}; build it with normalization none or symmetric, ` +
        'or check that the whole file was read',
    )
  }
  const sums = spmv(laplacian, new Float64Array(nCols).fill(1))
  const worstRow = sums.reduce((worst, sum, i) => (Math.abs(sum) > Math.abs(sums[worst]) ? i : worst), 0)
  verdict.rowSumError = Math.abs(sums[worstRow])
  if (rowSums === 'zero' && verdict.rowSumError > bound) {
    problems.push(
      `rows must sum to 0, got ${sums[worstRow]} in row ${worstRow}; pass rowSums 'any' for a normalised L`,
    )
  }
  if (asymmetry.error <= bound) {
    Object.assign(verdict, smallestEigenvalue(laplacian, -bound, watch))
    if (verdict.minEigenvalue < -bound) {
      problems.push(`must be positive semidefinite, got an eigenvalue of ${verdict.minEigenvalue}`)
    }
  }
  verdict.ok = problems.length === 0
  return verdict
}

/** checkLaplacian that throws GraphError `op: L <first problem>`. */
export const assertLaplacian = (op: string, laplacian: Csr, options: LaplacianCheckOptions = {}): void => {
  const { problems } = checkLaplacian(laplacian, options)
  if (problems.length) throw new GraphError(`${op}: L ${problems[0]}`)
}

const EXACT_LIMIT = 512
const POWER_STEPS = 300

const smallestEigenvalue = (
  laplacian: Csr,
  enough: number,
  watch: Watch,
): Pick<LaplacianVerdict, 'minEigenvalue' | 'psdMethod'> => {
  const [low, high] = gershgorin(laplacian)
  if (low >= enough) return { minEigenvalue: low, psdMethod: 'gershgorin' }
  const size = laplacian.nRows
  if (size <= EXACT_LIMIT) {
    const matrix = Matrix.from1DArray(size, size, toDense(laplacian).data)
    const { realEigenvalues } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true })
    return { minEigenvalue: Math.min(...realEigenvalues), psdMethod: 'eigenvalues' }
  }
  return { minEigenvalue: powerEstimate(laplacian, high, watch), psdMethod: 'power' }
}

/** All eigenvalues of a symmetric matrix lie in [min (L_ii − r_i), max (L_ii + r_i)], r_i = Σ_{j≠i} |L_ij|. */
const gershgorin = (laplacian: Csr): [number, number] => {
  const centre = diagonal(laplacian)
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let i = 0; i < laplacian.nRows; i++) {
    let radius = 0
    for (let e = laplacian.indptr[i]; e < laplacian.indptr[i + 1]; e++) {
      if (laplacian.indices[e] !== i) radius += Math.abs(laplacian.values[e])
    }
    low = Math.min(low, centre[i] - radius)
    high = Math.max(high, centre[i] + radius)
  }
  return [low, high]
}

/** Power iteration on high·I − L, whose largest eigenvalue is high − λ_min; the Rayleigh quotient bounds λ_min from above. */
const powerEstimate = (laplacian: Csr, high: number, watch: Watch): number => {
  const random = new Random(0)
  let x = Float64Array.from({ length: laplacian.nRows }, () => random.gaussian())
  let estimate = Number.NaN
  for (let step = 0; step < POWER_STEPS; step++) {
    watch.step(step / POWER_STEPS)
    const norm = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0))
    x = x.map((v) => v / norm)
    const y = spmv(laplacian, x)
    estimate = y.reduce((sum, v, i) => sum + v * x[i], 0)
    x = x.map((v, i) => high * v - y[i])
  }
  return estimate
}
