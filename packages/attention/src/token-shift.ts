import { concat, ShapeError, shapeText, slice, type Tensor, zeros } from '@tau/tensor'
import { checkDevice } from '@tau/tensor/kernel'

export interface TokenShiftOptions {
  /** The newest input before this one, [B, 1, C]. Default: zeros. */
  previous?: Tensor | undefined
  /** The channels that come from the token before: the last ⌈C/2⌉, or all. Default `half`. */
  channels?: 'half' | 'all'
}

/** Token shift: each position reads channels of the token before it (docs/definition.md, section 4).
 *  - `half`: the first ⌊C/2⌋ channels of x_t, then the other channels of x_{t−1};
 *  - `all`: x_{t−1}.
 *  At t = 0 the token before is `previous`. x [B, T, C] → [B, T, C]. Gradients go to x and `previous`.
 *  Source: Peng et al., RWKV (2023). */
export function tokenShift(x: Tensor, { previous, channels = 'half' }: TokenShiftOptions = {}): Tensor {
  if (x.rank !== 3) throw new ShapeError(`tokenShift: x must be [B, T, C], got ${shapeText(x.shape)}`)
  const [batch, length, width] = x.shape
  if (previous) {
    checkDevice('tokenShift', x, previous)
    if (previous.rank !== 3 || previous.shape.some((n, axis) => n !== [batch, 1, width][axis]))
      throw new ShapeError(
        `tokenShift: previous must be [B, 1, C] = [${batch}, 1, ${width}], got ${shapeText(previous.shape)}`,
      )
  }
  if (length === 0) return x.view()
  const kept = channels === 'all' ? 0 : Math.floor(width / 2)
  const before = previous ? slice(previous, 2, kept, width) : zeros(x.device, [batch, 1, width - kept])
  const late = slice(slice(x, 1, 0, length - 1), 2, kept, width)
  const shifted = concat([before, late], 1)
  return kept === 0 ? shifted : concat([slice(x, 2, 0, kept), shifted], 2)
}
