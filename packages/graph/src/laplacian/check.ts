import { Random } from '@tau/tensor'
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { GraphError } from '../errors.ts'
import { type Csr, checkCsr, diagonal, spmv, symmetryError, toDense } from '../sparse/csr.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'

export interface LaplacianCheckOptions extends WatchOptions {
  /** expected number of rows and columns, e.g. the head dim */
  size?: number
  /** 'zero' (the default): rows must sum to 0, as those of D − W do; 'any' is for a symmetric-normalised
   *  Laplacian */
  rowSums?: 'zero' | 'any'
  /** errors up to tolerance × the largest magnitude in L count as rounding; unless given 1e-6, for an L that
   *  was stored in f32 */
  tolerance?: number
}

export interface LaplacianVerdict {
  ok: boolean
  /** one sentence per broken rule, with its values; empty if ok */
  problems: string[]
  size: [number, number]
  /** largest magnitude in L */
  largest: number
  /** max |L_ij − L_ji| */
  symmetryError: number
  /** max |Σ_j L_ij| */
  rowSumError: number
  /** smallest eigenvalue, a lower bound of it, or an estimate from above: `psdMethod` says which */
  minEigenvalue: number
  /** gershgorin: a proved lower bound;  eigenvalues: computed from all eigenvalues;  power: an estimate by
   *  shifted power iteration (size > 512);  none: not computed */
  psdMethod: 'gershgorin' | 'eigenvalues' | 'power' | 'none'
}

/** Checks that L is a usable Laplacian: well formed, of the right size, finite, symmetric, with rows that sum
 *  to 0, and positive semidefinite.
 *  It never throws for a bad L. The verdict says what is wrong, with the values. It throws the signal's
 *  reason when it is aborted. */
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

/** Does `checkLaplacian`, and throws GraphError `op: L <first problem>` if there is a problem. */
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

/** Bounds of the eigenvalues of a symmetric matrix: all lie in [min (L_ii − r_i), max (L_ii + r_i)] with r_i
 *  = Σ_{j≠i} |L_ij|. */
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

/** An estimate of λ_min from above. It is the Rayleigh quotient after power iteration on high·I − L, whose
 *  largest eigenvalue is high − λ_min. */
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
