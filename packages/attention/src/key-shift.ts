import { checkDevice, concat, ShapeError, shapeText, slice, type Tensor, zeros } from '@tau/tensor'

/** Lets keys carry the token before: the first ⌊C/2⌋ channels of x_t, the others of x_{t−1}. At t = 0 those are `previous`
 *  [B, 1, C], the newest input before this one, or zeros. x [B, T, C] → [B, T, C]. Gradients to both. */
export function keyShift(x: Tensor, previous?: Tensor): Tensor {
  if (x.rank !== 3) throw new ShapeError(`keyShift: x must be [B, T, C], got ${shapeText(x.shape)}`)
  const [batch, length, width] = x.shape
  if (previous) {
    checkDevice('keyShift', x, previous)
    if (previous.rank !== 3 || previous.shape.some((n, axis) => n !== [batch, 1, width][axis]))
      throw new ShapeError(
        `keyShift: previous must be [B, 1, C] = [${batch}, 1, ${width}], got ${shapeText(previous.shape)}`,
      )
  }
  if (length === 0) return x.view()
  const half = Math.floor(width / 2)
  const before = previous ? slice(previous, 2, half, width) : zeros(x.device, [batch, 1, width - half])
  const late = slice(slice(x, 1, 0, length - 1), 2, half, width)
  return concat([slice(x, 2, 0, half), concat([before, late], 1)], 2)
}
