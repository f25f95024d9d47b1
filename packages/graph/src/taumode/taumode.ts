import type { DenseMatrix } from '../dense/matrix.ts'
import { matrixOf, type Points, shapedMatrixOf } from '../dense/points.ts'
import { safeScale } from '../dense/scale.ts'
import { checkNumbers, checkOptions, GraphError } from '../errors.ts'
import { type Csr, checkCsr, checkFinite, isCsr } from '../sparse/csr.ts'
import { partOf, Watch, type WatchOptions } from '../watch/watch.ts'

/** Smallest τ that any policy returns. */
export const TAU_FLOOR = 1e-10

/** Default ε of the Rayleigh quotient. */
export const DEFAULT_EPS = 1e-6

/** How τ is chosen. The first four policies take one τ from a batch of energies, as ArrowSpace means it. They
 *  see all tokens, so they suit calibration and not the inside of a causal model. percentile: value in [0,
 *  1]; τ is the sorted energy at index floor((n − 1) value + ½).
 *  `reference-median` and `reference-mean` are those of the Rust reference: each vector gets one τ from its
 *  own components. They are degenerate: if that median or mean is not positive, τ falls to ε, and λ is about
 *  1 for any energy. They exist to load models of the reference, and are never a default. */
export type TauPolicy =
  | { name: 'fixed'; value: number }
  | { name: 'median' }
  | { name: 'mean' }
  | { name: 'percentile'; value: number }
  | { name: 'reference-median' }
  | { name: 'reference-mean' }

export interface Taumode {
  /** Rayleigh energies E [N] */
  energy: Float64Array
  /** τ: one element, or [N] for the reference policies */
  tau: Float64Array
  /** λ = E / (E + τ) [N] */
  lambda: Float64Array
}

/** Rayleigh energy of every row: E = max(0, xᵀLx / (xᵀx + ε)).
 *  x [N, D] · L [D, D] symmetric positive semidefinite, Csr or dense → E [N], in the unit of L. O(N · nnz).
 *  A row whose squares would leave the range of f64 is scaled first, and ε with it. A row with NaN or
 *  ±Infinity has energy NaN. If L is not symmetric, its symmetric part counts. A negative energy becomes 0.
 *  Throws GraphError if L is not [D, D], not well formed or not finite, and if ε is negative. Throws the
 *  signal's reason when it is aborted. */
export const rayleighEnergies = (
  points: Points,
  L: Csr | Points,
  eps = DEFAULT_EPS,
  options: WatchOptions = {},
): Float64Array => {
  const x = shapedMatrixOf('rayleighEnergies', points)
  const dim = x.cols
  const laplacian = checkedMatrix(L)
  checkSquare(laplacian, dim)
  if (!(eps >= 0)) throw new GraphError(`rayleighEnergies: eps must be at least 0, got ${eps}`)
  const quadratic = 'indptr' in laplacian ? quadraticFormCsr : quadraticFormDense
  const energy = new Float64Array(x.rows)
  const row = new Float64Array(dim)
  const watch = new Watch(options)
  for (let n = 0; n < x.rows; n++) {
    watch.step(n / x.rows)
    const factor = safeScale(x.data, n * dim, (n + 1) * dim)
    let square = 0
    for (let c = 0; c < dim; c++) {
      row[c] = x.data[n * dim + c] * factor
      square += row[c] * row[c]
    }
    const denominator = square + eps * factor * factor
    const quotient = quadratic(row, laplacian) / denominator
    energy[n] = denominator === 0 ? 0 : Math.max(0, quotient)
  }
  watch.finish()
  return energy
}

const checkedMatrix = (laplacian: Csr | Points): Csr | DenseMatrix => {
  const op = 'rayleighEnergies: L'
  if (!isCsr(laplacian)) return matrixOf(op, laplacian)
  checkCsr(op, laplacian)
  checkFinite(op, laplacian)
  return laplacian
}

const checkSquare = (laplacian: Csr | DenseMatrix, dim: number): void => {
  const [rows, cols] =
    'indptr' in laplacian ? [laplacian.nRows, laplacian.nCols] : [laplacian.rows, laplacian.cols]
  if (rows !== dim || cols !== dim) {
    throw new GraphError(
      `rayleighEnergies: L must be [D, D] = [${dim}, ${dim}] for x of D = ${dim} columns, got [${rows}, ${cols}]; ` +
        'rebuild the graph on those features',
    )
  }
}

const quadraticFormCsr = (x: Float64Array, laplacian: Csr | DenseMatrix): number => {
  const { nRows, indptr, indices, values } = laplacian as Csr
  let sum = 0
  for (let i = 0; i < nRows; i++) {
    let dot = 0
    for (let e = indptr[i]; e < indptr[i + 1]; e++) dot += values[e] * x[indices[e]]
    sum += x[i] * dot
  }
  return sum
}

const quadraticFormDense = (x: Float64Array, laplacian: Csr | DenseMatrix): number => {
  const { data, rows } = laplacian as DenseMatrix
  let sum = 0
  for (let i = 0; i < rows; i++) {
    let dot = 0
    for (let j = 0; j < rows; j++) dot += data[i * rows + j] * x[j]
    sum += x[i] * dot
  }
  return sum
}

/** One τ ≥ TAU_FLOOR for a batch of energies. Energies that are not finite are ignored; if none is left, τ is
 *  the floor. Throws GraphError for a reference policy (see `tauFromComponents`), a percentile outside [0,
 *  1], and a fixed τ that is not above 0. */
export const tauFromEnergies = (energies: ArrayLike<number>, policy: TauPolicy): number => {
  checkNumbers('tauFromEnergies', 'energies', energies)
  checkOptions('tauFromEnergies: policy', policy, "{ name: 'median' }")
  switch (policy.name) {
    case 'fixed':
      if (!(policy.value > 0) || !Number.isFinite(policy.value)) {
        throw new GraphError(`tau: a fixed tau must be positive and finite, got ${policy.value}`)
      }
      return Math.max(policy.value, TAU_FLOOR)
    case 'median':
      return Math.max(median(finiteSorted(energies)), TAU_FLOOR)
    case 'mean':
      return Math.max(mean(finiteSorted(energies)), TAU_FLOOR)
    case 'percentile': {
      if (!(policy.value >= 0 && policy.value <= 1)) {
        throw new GraphError(`tau: percentile must be between 0 and 1, got ${policy.value}`)
      }
      const sorted = finiteSorted(energies)
      const index = Math.floor((sorted.length - 1) * policy.value + 0.5)
      return Math.max(sorted.length ? sorted[index] : 0, TAU_FLOOR)
    }
    default:
      throw new GraphError(
        `tau: the policy must be one of energies (fixed, median, mean, percentile), got '${policy.name}'; use fitTaumode() for the others`,
      )
  }
}

/** τ of every row as the Rust reference computes it: max(median or mean of the row's own components,
 *  TAU_FLOOR, ε) → [N]. A row with NaN gets NaN. Throws GraphError for another policy, and the signal's
 *  reason when it is aborted. */
export const tauFromComponents = (
  points: Points,
  policy: { name: 'reference-median' | 'reference-mean' },
  eps = DEFAULT_EPS,
  options: WatchOptions = {},
): Float64Array => {
  const x = shapedMatrixOf('tau', points)
  const { name } = policy
  if (name !== 'reference-median' && name !== 'reference-mean') {
    throw new GraphError(
      `tau: the policy must be one of components, got '${name satisfies never}'; use tauFromEnergies`,
    )
  }
  const middle = name === 'reference-median' ? median : mean
  const watch = new Watch(options)
  const tau = new Float64Array(x.rows)
  for (let n = 0; n < x.rows; n++) {
    watch.step(n / x.rows)
    const row = Float64Array.from(x.data.subarray(n * x.cols, (n + 1) * x.cols)).sort()
    // the sort puts NaN at the end
    tau[n] = Math.max(Number.isNaN(row[row.length - 1]) ? Number.NaN : middle(row), TAU_FLOOR, eps)
  }
  watch.finish()
  return tau
}

const finiteSorted = (values: ArrayLike<number>): Float64Array =>
  Float64Array.from(values).filter(Number.isFinite).sort()

const median = (sorted: Float64Array): number => {
  const half = sorted.length >> 1
  if (sorted.length === 0) return 0
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

const mean = (values: Float64Array): number =>
  values.length === 0 ? 0 : values.reduce((sum, v) => sum + v, 0) / values.length

/** τ from the points' own energies by a policy, and λ of every point: x [N, D] · L [D, D] symmetric positive
 *  semidefinite → λ [N], no unit.
 *  E = max(0, xᵀLx / (xᵀx + ε)), λ = E / (E + τ), so 0 ≤ λ < 1 (in f64 λ rounds to 1 if E is 10¹⁶ τ).
 *  Source: Tauformer, TechRxiv 10.36227/techrxiv.176800983.30631144. It departs from its code: see
 *  `TauPolicy` for τ. */
export const fitTaumode = (
  x: Points,
  laplacian: Csr | Points,
  options: { policy: TauPolicy; eps?: number } & WatchOptions,
): Taumode => {
  checkOptions('fitTaumode', options, '{ policy }')
  const { policy, eps = DEFAULT_EPS, ...watched } = options
  checkOptions('fitTaumode: policy', policy, "{ name: 'median' }")
  const energy = rayleighEnergies(x, laplacian, eps, partOf(watched, 0, 0.5))
  const tau =
    policy.name === 'reference-median' || policy.name === 'reference-mean'
      ? tauFromComponents(x, policy, eps, partOf(watched, 0.5, 1))
      : Float64Array.of(tauFromEnergies(energy, policy))
  const lambda = energy.map((e, n) => e / (e + tau[tau.length === 1 ? 0 : n]))
  return { energy, tau, lambda }
}
