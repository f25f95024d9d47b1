import type { Panel, PanelSpace } from '../kernels/panel-space.ts'

/** Applies p(m) to a panel and returns a new one, p(λ) = T_d((λ − c)/e) / T_d(−c/e) with c, e the middle and half width of [cut, bound]:
 *  1 at 0, falling to 1/cosh(2d√(cut/bound)) or so at the cut, no larger up to the bound. Takes d products, each one step of the recurrence.
 *  Source: Zhou and Saad, "A Chebyshev–Davidson algorithm for large symmetric eigenproblems", SIAM J. Matrix Anal. Appl. 29 (2007). */
export const chebyshevFilter = (
  space: PanelSpace,
  x: Panel,
  { degree, cut, bound }: { degree: number; cut: number; bound: number },
): Panel => {
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
    space.step(now, before, (2 * next) / half, (-2 * next * middle) / half, -sigma * next)
    ;[before, now] = [now, before]
    sigma = next
  }
  space.give(before)
  return now
}
