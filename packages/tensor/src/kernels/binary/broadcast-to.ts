import { ShapeError, shapeText } from '../../errors.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { fill } from '../fill/fill.ts'
import { kernelsOf } from '../table.ts'
import { broadcastLoops } from './broadcast.ts'

/** Repeats x along axes of size 1 and new leading axes, as a copy that no tape sees: the gradient of a sum. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  const out = fill(x.device, shape, 0)
  const loops = broadcastLoops('broadcastTo', x.shape, shape)
  if (!loops) throw new ShapeError(`internal: broadcastTo ${shapeText(x.shape)} to ${shapeText(shape)} takes more than 4 loops`)
  kernelsOf(x.device).binary('add', x.handle, out.handle, out.handle, loops)
  return out
}
