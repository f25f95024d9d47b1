import type { Random } from '@tau/tensor'
import { GraphError } from '../errors.ts'
import { PANEL, type Panel, type PanelSpace } from '../kernels/panel-space.ts'
import { chebyshevFilter } from './chebyshev-filter.ts'
import type { KernelVectors } from './kernel-vectors.ts'
import { PanelBasis } from './panel-basis.ts'

/** Where a search stands, after each of its iterations. */
export interface EigenProgress {
  iteration: number
  /** pairs whose residual is small enough, of those that were asked for beside the kernel */
  converged: number
  wanted: number
  /** largest |m·x − θx| of the wanted pairs */
  residual: number
  /** products of the matrix and one vector so far */
  products: number
}

export interface Search {
  /** pairs beside the kernel */
  k: number
  /** largest |m·x − θx| of a converged pair */
  tolerance: number
  /** where the eigenvalues of m end, and where its small ones may */
  spectrum: { bound: number; low: number }
  kernel: KernelVectors | undefined
  random: Random
  maxIterations: number
  /** Called after each iteration; may throw to end the search. */
  report: (progress: EigenProgress) => Promise<void>
}

/** Vectors beyond the wanted ones that are kept: the filter separates the wanted from what comes after these. */
const SPARE = 4
/** Panels of new directions between restarts. */
const GROWTH = 3
/** Degree × √(cut / bound): the filter damps what is above the cut by cosh(2 · 3) = 200. */
const STRENGTH = 3
const DEGREE = { least: 8, most: 500 }

/** How many columns the basis of a search has at most, for the size at which it is possible at all. */
export const basisColumns = (k: number): number => (keptPanels(k) + GROWTH + 1) * PANEL

const keptPanels = (k: number): number => Math.ceil((k + SPARE) / PANEL)

/** Smallest eigenpairs of a symmetric positive semidefinite matrix by block Chebyshev–Davidson: the eight lowest Ritz vectors that have not converged go
 *  through a polynomial that damps all above the cut, join the basis, and the eigenproblem projected on it (ml-matrix) gives new ones; a full basis
 *  restarts from its lowest Ritz vectors. Begins with as many random columns as it keeps, so that eigenvalues of that multiplicity are found.
 *  → panels of Ritz vectors, the wanted ones first, and the number of products. The caller gives the panels back.
 *  Source: Zhou, "A block Chebyshev–Davidson method with inner–outer restart", J. Comput. Phys. 229 (2010). */
export const chebyshevDavidson = async (
  space: PanelSpace,
  { k, tolerance, spectrum, kernel, random, maxIterations, report }: Search,
): Promise<{ panels: Panel[]; products: number }> => {
  const basis = new PanelBasis(space, kernel, random)
  const kept = keptPanels(k)
  let { bound } = spectrum
  let cut = cutAt(spectrum.low, bound)
  let products = 0
  const grow = (start: Panel): void => {
    const degree = Math.ceil(STRENGTH * Math.sqrt(bound / cut))
    const filter = { degree: Math.min(DEGREE.most, Math.max(DEGREE.least, degree)), cut, bound }
    basis.extend(chebyshevFilter(space, start, filter))
    space.give(start)
    products += (filter.degree + 1) * PANEL
  }
  for (let p = 0; p < kept; p++) {
    const start = space.take()
    for (let n = 0; n < start.data.length; n++) start.data[n] = random.float() - 0.5
    grow(start)
  }
  for (let iteration = 1; ; iteration++) {
    const ritz = basis.ritz()
    const panels = Array.from({ length: kept }, (_, p) => basis.ritzPanel(ritz, p))
    const residuals = panels.flatMap((panel, p) =>
      residualsOf(space, panel, ritz.values.slice(p * PANEL, (p + 1) * PANEL)),
    )
    products += kept * PANEL
    const wanted = residuals.slice(0, k)
    const converged = wanted.filter((residual) => residual <= tolerance).length
    await report({ iteration, converged, wanted: k, residual: Math.max(...wanted), products })
    if (converged === k) return { panels, products }
    if (iteration === maxIterations) {
      throw new GraphError(
        `smallestEigenpairs: all ${k} pairs must converge within ${maxIterations} iterations, got ${converged}, ` +
          `worst residual ${Math.max(...wanted)} above ${tolerance}; raise tolerance or maxIterations`,
      )
    }
    // A Ritz value above the bound shows that the bound was none.
    bound = Math.max(bound, 1.05 * ritz.values[ritz.values.length - 1])
    cut = cutAt(ritz.values[kept * PANEL - 1], bound)
    const next = nextColumns(space, panels, residuals, tolerance)
    if (basis.panels >= kept + GROWTH) basis.restart(panels, ritz)
    else for (const panel of panels) space.give(panel)
    grow(next)
  }
}

/** Where the damping begins, with room for the polynomial on either side. */
const cutAt = (value: number, bound: number): number => Math.min(Math.max(value, 1e-12 * bound), 0.9 * bound)

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

/** The lowest eight that have not converged; where fewer are left, the highest others fill up. */
const nextColumns = (space: PanelSpace, panels: Panel[], residuals: number[], tolerance: number): Panel => {
  const all = residuals.map((_, column) => column)
  const open = all.filter((column) => residuals[column] > tolerance).slice(0, PANEL)
  const rest = all.filter((column) => !open.includes(column)).reverse()
  const columns = [...open, ...rest].slice(0, PANEL)
  const out = space.take()
  columns.forEach((column, j) => {
    const { data } = panels[Math.floor(column / PANEL)]
    for (let n = column % PANEL, m = j; n < data.length; n += PANEL, m += PANEL) out.data[m] = data[n]
  })
  return out
}
