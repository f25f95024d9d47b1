import type { Panel, PanelSpace } from '../kernels/panel-space.ts'
import type { Watch } from '../watch/watch.ts'

/** A polynomial that damps eigenvalues in [cut, bound]. */
export interface Filter {
  readonly degree: number
  readonly cut: number
  readonly bound: number
}

/** What is known of the spectrum when a filter is chosen. */
export interface Spectrum {
  /** no eigenvalue is larger */
  readonly bound: number
  /** the cut so far */
  readonly low: number
  /** smallest and largest of the wanted Ritz values */
  readonly first: number
  readonly last: number
  /** Ritz values from that of the last kept vector on, ascending */
  readonly next: readonly number[]
}

/** Logarithms of how much larger a value comes out of the filter than the cut does: 0, which sets the pace; the last wanted value, which
 *  asks for a higher degree where values lie close; and the first one at most, because what rounding adds to it grows as much. */
const GAIN = { zero: 6, last: 2, first: 23 }
/** The last value asks for at most so many times the degree: Ritz values of the first iterations say little about gaps. */
const PATIENCE = 8
const DEGREE = { least: 3, most: 500 }
/** How far above the last wanted value the cut lies at least, relative to that value and to the bound. A cut on one of many equal
 *  eigenvalues would damp those that are wanted as well, and the search would stand still. */
const MARGIN = { relative: 1e-3, absolute: 1e-9 }

export const filterFor = ({ bound, low, first, last, next }: Spectrum): Filter => {
  const least = Math.max(last * (1 + MARGIN.relative), last + MARGIN.absolute * bound)
  const above = next.find((value) => value >= least) ?? (low >= least ? low : (last + bound) / 2)
  const cut = Math.min(above, 0.99 * bound)
  // T_d grows by e^rate with each degree.
  const rate = (value: number): number => Math.acosh(Math.max(1, (bound + cut - 2 * value) / (bound - cut)))
  const zero = GAIN.zero / rate(0)
  const wanted = Math.max(zero, Math.min(GAIN.last / rate(last), PATIENCE * zero))
  const degree = Math.ceil(Math.min(wanted, GAIN.first / rate(first), DEGREE.most))
  return { degree: Math.max(DEGREE.least, degree), cut, bound }
}

/** Applies p(m) to a panel and returns a new one, p(λ) = T_d((λ − c)/e) / T_d(−c/e) with c, e the middle and half width of [cut, bound]:
 *  1 at 0, falling to 1/cosh(2d√(cut/bound)) or so at the cut, no larger up to the bound. Takes d products, each one step of the recurrence.
 *  Source: Zhou and Saad, "A Chebyshev–Davidson algorithm for large symmetric eigenproblems", SIAM J. Matrix Anal. Appl. 29 (2007). */
export const chebyshevFilter = async (
  space: PanelSpace,
  x: Panel,
  { degree, cut, bound }: Filter,
  watch: Watch,
): Promise<Panel> => {
  const half = (bound - cut) / 2
  const middle = (bound + cut) / 2
  const first = -half / middle
  let sigma = first
  let before = space.take()
  before.data.set(x.data)
  let now = space.take()
  space.step(before, now, sigma / half, (-middle * sigma) / half, 0)
  for (let d = 2; d <= degree; d++) {
    const next = 1 / (2 / first - sigma)
    await watch.turn(0)
    space.step(now, before, (2 * next) / half, (-2 * next * middle) / half, -sigma * next)
    ;[before, now] = [now, before]
    sigma = next
  }
  space.give(before)
  return now
}
