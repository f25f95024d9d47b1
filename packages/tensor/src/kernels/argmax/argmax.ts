import { refuseTape } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { normalizeAxis, splitAt } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** x [outer, length, inner] → out i32 [outer, inner]: the index of the largest or the smallest element along
 *  the middle axis. */
export type ArgmaxKernel = (
  x: Handle,
  out: Handle,
  outer: number,
  length: number,
  inner: number,
  smallest: boolean,
) => void

function argExtreme(op: 'argmax' | 'argmin', x: Tensor, axis: number | undefined): Tensor<'i32'> {
  checkDType(op, 'x', x, 'f32')
  refuseTape(op, x)
  if (x.size === 0)
    throw new ShapeError(`${op}: tensor must hold at least one element, got ${shapeText(x.shape)}`)
  const at = axis === undefined ? undefined : normalizeAxis(op, axis, x.rank)
  const { outer, length, inner } = at === undefined ? splitAt([x.size], 0) : splitAt(x.shape, at)
  const out = x.device.empty(at === undefined ? [] : x.shape.toSpliced(at, 1), 'i32')
  kernelsOf(x.device).argmax(x.handle, out.handle, outer, length, inner, op === 'argmin')
  return out
}

/** Index of the largest element along `axis`; that axis is removed. Without an axis: the index into all
 *  elements of x, row-major. The result is an i32 tensor. Of equal elements the first counts; if there is a
 *  NaN, the first NaN counts, as in NumPy. No gradient. */
export const argmax = (x: Tensor, axis?: number): Tensor<'i32'> => argExtreme('argmax', x, axis)

/** Index of the smallest element: {@link argmax} of −x. */
export const argmin = (x: Tensor, axis?: number): Tensor<'i32'> => argExtreme('argmin', x, axis)
