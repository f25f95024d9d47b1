import type { DenseMatrix } from '@tau/graph'
import { Random } from '@tau/tensor'

/** The height of the roll. Its radius grows from 0.4 to 1.4. */
export const HEIGHT = 1.5
export const LARGEST_RADIUS = 1.4

/** Points on a Swiss roll, a band of one and a half turns. [count, 3]: across, along the axis, across.
 *  The angle is six times the angle of the point ((1 − t²) / (1 + t²), 2t / (1 + t²)), with 0 ≤ t < 1. This
 *  needs no sine and cosine, because their last bit differs between engines. So every engine has the same
 *  points. */
export const swissRoll = (count: number, seed: number): DenseMatrix & { data: Float64Array } => {
  const random = new Random(seed)
  const data = new Float64Array(count * 3)
  for (let i = 0; i < count; i++) {
    const t = random.float()
    const [re, im] = sixth((1 - t * t) / (1 + t * t), (2 * t) / (1 + t * t))
    const radius = 0.4 + t
    data.set([radius * re, HEIGHT * random.float(), radius * im], 3 * i)
  }
  return { data, rows: count, cols: 3 }
}

/** (re + i·im)⁶ */
const sixth = (re: number, im: number): [number, number] => {
  const [a, b] = [re * re - im * im, 2 * re * im]
  const [c, d] = [a * a - b * b, 2 * a * b]
  return [a * c - b * d, a * d + b * c]
}
