import type { Random } from '@tau/tensor'
import { GraphError } from '../errors.ts'
import { PANEL, type Panel, type PanelSpace } from '../kernels/panel-space.ts'
import type { Watch } from '../watch/watch.ts'
import { chebyshevFilter, filterFor } from './chebyshev-filter.ts'
import type { KernelVectors } from './kernel-vectors.ts'
import { PanelBasis } from './panel-basis.ts'

/** The state of a search after an iteration. */
export interface EigenProgress {
  /** 0 while a small matrix is decomposed as a whole; then `converged` and `products` are 0 too, and
   *  `residual` is NaN */
  iteration: number
  /** number of wanted pairs whose residual is small enough */
  converged: number
  wanted: number
  /** converged / wanted, or the share of the decomposition that is done */
  fraction: number
  /** largest |m·x − θx| of the wanted pairs */
  residual: number
  /** products of the matrix and one vector so far */
  products: number
}

export interface Search {
  /** wanted pairs, without those of the kernel */
  k: number
  /** largest |m·x − θx| of a converged pair */
  tolerance: number
  /** an upper bound of the eigenvalues of m, and a first guess of where its small eigenvalues end */
  spectrum: { bound: number; low: number }
  kernel: KernelVectors | undefined
  random: Random
  maxIterations: number
  /** ends the search between two products */
  watch: Watch
  /** called after each iteration */
  report: (progress: EigenProgress) => void
}

/** Vectors that are kept beyond the wanted ones. The filter separates the wanted vectors from those that come
 *  after these. */
const SPARE = 4
/** Extensions of the basis between restarts. */
const GROWTH = 3
/** Most columns of the basis of a search. A search is possible only if the matrix has more rows than that. */
export const basisColumns = (k: number): number => {
  const { kept, width } = panelsOf(k)
  return (kept + (GROWTH + 1) * width) * PANEL
}

/** Panels that are kept at a restart (`kept`), and panels that join the basis in one iteration (`width`).
 *  Large searches add several panels at once, because the projected eigenproblem and the Ritz vectors cost
 *  the same for one. */
const panelsOf = (k: number): { kept: number; width: number } => {
  const kept = Math.ceil((k + SPARE) / PANEL)
  return { kept, width: Math.ceil(kept / 3) }
}

/** Smallest eigenpairs of a symmetric positive semidefinite matrix by block Chebyshev–Davidson. → panels of
 *  Ritz vectors, the wanted ones first, and the number of products. The caller gives the panels back.
 *  It takes the lowest Ritz vectors that have not converged, eight at a time. A polynomial damps everything
 *  in them above the cut. They join the basis, and ml-matrix solves the eigenproblem projected on it. A full
 *  basis restarts from its lowest Ritz vectors.
 *  The search starts with as many random columns as it keeps, so it finds eigenvalues of that multiplicity.
 *  Source: Zhou, "A block Chebyshev–Davidson method with inner–outer restart", J. Comput. Phys. 229
 *  (2010). */
export const chebyshevDavidson = async (
  space: PanelSpace,
  { k, tolerance, spectrum, kernel, random, maxIterations, watch, report }: Search,
): Promise<{ panels: Panel[]; products: number }> => {
  const basis = new PanelBasis(space, kernel, random)
  const { kept, width } = panelsOf(k)
  let filter = filterFor({ ...spectrum, first: 0, last: 0, next: [] })
  let products = 0
  const grow = async (starts: Panel[]): Promise<void> => {
    for (const start of starts) {
      basis.extend(await chebyshevFilter(space, start, filter, watch))
      space.give(start)
    }
    products += starts.length * (filter.degree + 1) * PANEL
  }
  const randomPanels = Array.from({ length: kept }, () => {
    const start = space.take()
    for (let n = 0; n < start.data.length; n++) start.data[n] = random.float() - 0.5
    return start
  })
  await grow(randomPanels)
  for (let iteration = 1; ; iteration++) {
    const ritz = basis.ritz()
    // The smallest Ritz value is an upper bound of the smallest eigenvalue, so here an eigenvalue is
    // negative.
    if (ritz.values[0] < -tolerance) {
      throw new GraphError(
        `smallestEigenpairs: the matrix must be positive semidefinite, got a Rayleigh quotient of ${ritz.values[0]}; add a multiple of the identity`,
      )
    }
    const panels = Array.from({ length: kept }, (_, p) => basis.ritzPanel(ritz, p))
    const residuals = panels.flatMap((panel, p) =>
      residualsOf(space, panel, ritz.values.slice(p * PANEL, (p + 1) * PANEL)),
    )
    products += kept * PANEL
    const wanted = residuals.slice(0, k)
    const converged = wanted.filter((residual) => residual <= tolerance).length
    report({
      iteration,
      converged,
      wanted: k,
      fraction: converged / k,
      residual: Math.max(...wanted),
      products,
    })
    await watch.turn(0)
    if (converged === k) return { panels, products }
    if (iteration === maxIterations) {
      throw new GraphError(
        `smallestEigenpairs: all ${k} pairs must converge within ${maxIterations} iterations, got ${converged}, ` +
          `worst residual ${Math.max(...wanted)} above ${tolerance}; raise tolerance or maxIterations`,
      )
    }
    filter = filterFor({
      // A Ritz value above the bound proves that the bound was too low.
      bound: Math.max(filter.bound, 1.05 * ritz.values[ritz.values.length - 1]),
      low: filter.cut,
      first: ritz.values[0],
      last: ritz.values[k - 1],
      next: ritz.values.slice(kept * PANEL - 1),
    })
    const next = nextPanels(space, panels, residuals, { tolerance, width })
    if (basis.panels >= kept + GROWTH * width) basis.restart(panels, ritz)
    else for (const panel of panels) space.give(panel)
    await grow(next)
  }
}

/** |m·x − θx| of every column. */
const residualsOf = (space: PanelSpace, x: Panel, values: number[]): number[] => {
  const image = space.take()
  space.step(x, image, 1, 0, 0)
  const factors = new Float64Array(PANEL * PANEL)
  values.forEach((value, j) => {
    factors[j * PANEL + j] = -value
  })
  space.add(image, x, factors)
  const squares = space.gram(image, image)
  space.give(image)
  return values.map((_, j) => Math.sqrt(squares[j * PANEL + j]))
}

/** The next columns for the filter: the lowest ones that have not converged, at most `width` panels of them.
 *  The highest other columns fill the last panel. */
const nextPanels = (
  space: PanelSpace,
  panels: Panel[],
  residuals: number[],
  { tolerance, width }: { tolerance: number; width: number },
): Panel[] => {
  const all = residuals.map((_, column) => column)
  const open = all.filter((column) => residuals[column] > tolerance).slice(0, width * PANEL)
  const rest = all.filter((column) => !open.includes(column)).reverse()
  const count = Math.ceil(open.length / PANEL)
  const columns = [...open, ...rest].slice(0, count * PANEL)
  return Array.from({ length: count }, (_, p) => {
    const out = space.take()
    columns.slice(p * PANEL, (p + 1) * PANEL).forEach((column, j) => {
      const { data } = panels[Math.floor(column / PANEL)]
      for (let n = column % PANEL, m = j; n < data.length; n += PANEL, m += PANEL) out.data[m] = data[n]
    })
    return out
  })
}
