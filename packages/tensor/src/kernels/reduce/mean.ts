import { ShapeError, shapeText } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { scale } from '../binary/binary.ts'
import { sum } from './reduce.ts'

/** Arithmetic mean over `axes` (default: all). */
export function mean(x: Tensor, axes?: readonly number[]): Tensor {
  if (x.size === 0)
    throw new ShapeError(`mean: tensor must hold at least one element, got ${shapeText(x.shape)}`)
  using total = sum(x, axes)
  return scale(total, total.size / x.size)
}
