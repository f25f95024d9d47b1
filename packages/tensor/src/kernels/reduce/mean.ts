import { ShapeError, shapeText } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { mul } from '../binary/binary.ts'
import { checkDType } from '../check.ts'
import { type Axes, sum } from './reduce.ts'

/** Arithmetic mean over one or several axes (default: all). Reduced axes are removed. */
export function mean(x: Tensor, axes?: Axes): Tensor {
  checkDType('mean', 'x', x, 'f32')
  if (x.size === 0)
    throw new ShapeError(`mean: tensor must hold at least one element, got ${shapeText(x.shape)}`)
  using total = sum(x, axes)
  return mul(total, total.size / x.size)
}
