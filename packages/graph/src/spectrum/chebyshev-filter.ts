import type { Panel, PanelSpace } from '../kernels/panel-space.ts'
import type { Watch } from '../watch/watch.ts'

/** A polynomial filter that damps eigenvalues in [cut, bound]. */
export interface Filter {
  readonly degree: number
  readonly cut: number
  readonly bound: number
}

/** What the search knows about the spectrum when it chooses a filter. */
export interface Spectrum {
  /** an upper bound of all eigenvalues */
  readonly bound: number
  /** the present cut */
  readonly low: number
  /** smallest and largest of the wanted Ritz values */
  readonly first: number
  readonly last: number
  /** Ritz values from the last kept vector on, ascending */
  readonly next: readonly number[]
}

/** Limits of the gain, which is the logarithm of a value's amplification relative to the amplification at the
 *  cut. `zero`: the gain at 0, which sets the basic degree. `last`: the gain of the last wanted value; it
 *  requires a higher degree if values lie close together. `first`: most gain of the first wanted value,
 *  because rounding errors along it grow by the same factor. */
const GAIN = { zero: 6, last: 2, first: 23 }
/** The last value can raise the basic degree at most by this factor, because early Ritz values say little
 *  about gaps. */
const PATIENCE = 8
const DEGREE = { least: 3, most: 500 }
/** Least distance of the cut above the last wanted value, relative to that value and to the bound. A cut on
 *  one of several equal eigenvalues would also damp the wanted ones, and the search would not advance. */
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

/** Applies p(m) to a panel and returns a new one. p(λ) = T_d((λ − c)/e) / T_d(−c/e), where c and e are the
 *  middle and half width of [cut, bound]. p is 1 at 0 and falls to about 1/cosh(2d√(cut/bound)) at the cut;
 *  up to the bound it is no larger. It takes d products, one per step of the recurrence.
 *  Source: Zhou and Saad, "A Chebyshev–Davidson algorithm for large symmetric eigenproblems", SIAM J. Matrix
 *  Anal. Appl. 29 (2007). */
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
