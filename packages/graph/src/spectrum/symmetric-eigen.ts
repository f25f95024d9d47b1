import { safeScale } from '../distance.ts'
import type { Watch } from '../watch.ts'
import { RotatedRows } from './rotations.ts'
import { type Tridiagonal, tridiagonalise } from './tridiagonal.ts'

/** Off-diagonal elements below this share of the norm are rounding. */
const ROUNDING = 2 ** -52
/** Two or three are usual. */
const MAX_SWEEPS = 60
/** Of the work, what comes before QL. */
const REDUCTION = 0.5

export interface SymmetricEigen {
  /** in no order */
  readonly values: Float64Array
  /** the one of value j, of length 1 */
  vector(j: number): Float64Array
}

/** All eigenpairs of a symmetric matrix a [n, n], row-major, which is used up: Householder reduction, then QL with implicit shifts. About
 *  9·n³ operations, in parts of some milliseconds, which ml-matrix does in one go.
 *  Source: Dubrulle, Martin and Wilkinson, "The implicit QL algorithm", Numer. Math. 12 (1968). */
export const symmetricEigen = async (
  a: Float64Array,
  size: number,
  watch: Watch,
): Promise<SymmetricEigen> => {
  const scale = safeScale(a, 0, a.length)
  if (scale !== 1) for (let n = 0; n < a.length; n++) a[n] *= scale
  const form = await tridiagonalise(a, size, (share) => watch.turn(REDUCTION * share))
  const { diagonal, beside } = form
  const rows = new RotatedRows(form.vectors, size)
  let largest = 0
  for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(diagonal[i]) + Math.abs(beside[i]))
  const negligible = ROUNDING * largest
  for (let first = 0; first < size; first++) {
    for (let sweep = 0; ; sweep++) {
      let last = first
      while (last < size - 1 && Math.abs(beside[last]) > negligible) last++
      if (last === first) break
      if (sweep === MAX_SWEEPS) throw new Error(`internal: QL must converge within ${MAX_SWEEPS} sweeps`)
      sweepUp(form, first, last, rows)
      if (rows.isFull) await rows.flush(watch, REDUCTION + ((1 - REDUCTION) * first) / size)
    }
  }
  await rows.flush(watch, 1)
  return { values: diagonal.map((value) => value / scale), vector: (j) => rows.row(j) }
}

/** One QL sweep over the block [first, last]: a rotation with the shift of the block's top, and those that chase what it leaves behind. */
const sweepUp = ({ diagonal, beside }: Tridiagonal, first: number, last: number, rows: RotatedRows): void => {
  const cosines = new Float64Array(last - first)
  const sines = new Float64Array(last - first)
  const half = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first])
  const root = Math.sqrt(half * half + 1)
  const shift = diagonal[first] - beside[first] / (half + (half < 0 ? -root : root))
  let [cos, sin, moved] = [1, 1, 0]
  let bulge = diagonal[last] - shift
  for (let i = last - 1; i >= first; i--) {
    const off = sin * beside[i]
    const rest = cos * beside[i]
    const radius = Math.sqrt(off * off + bulge * bulge)
    beside[i + 1] = radius
    if (radius === 0) {
      // The block fell apart here.
      diagonal[i + 1] -= moved
      beside[last] = 0
      const done = i + 1 - first
      rows.add(i + 1, cosines.subarray(done), sines.subarray(done))
      return
    }
    sin = off / radius
    cos = bulge / radius
    const above = diagonal[i + 1] - moved
    const turn = (diagonal[i] - above) * sin + 2 * cos * rest
    moved = sin * turn
    diagonal[i + 1] = above + moved
    bulge = cos * turn - rest
    cosines[i - first] = cos
    sines[i - first] = sin
  }
  diagonal[first] -= moved
  beside[first] = bulge
  beside[last] = 0
  rows.add(first, cosines, sines)
}
