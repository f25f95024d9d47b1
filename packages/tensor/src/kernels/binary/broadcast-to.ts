import { type Shape, sameShape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { kernelsOf } from '../table.ts'
import { broadcastLoops } from './broadcast.ts'

/** Repeats x along axes of size 1 and along new leading axes. Returns a copy that no tape records. This is
 *  the gradient of a sum. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x.view()
  const loops = broadcastLoops([x.shape, []], shape)
  if (!loops) {
    using part = broadcastTo(x, expandLast(x.shape, shape))
    return broadcastTo(part, shape)
  }
  const out = x.device.empty(shape)
  using zero = x.device.scalar(0)
  kernelsOf(x.device).binary('add', x.handle, zero.handle, out.handle, loops)
  return out
}

/** `from` with its innermost repeated axis already repeated. A broadcast that needs more than four loops is
 *  done in several such steps. */
function expandLast(from: Shape, to: Shape): Shape {
  const aligned = to.map((_, i) => from[i - to.length + from.length] ?? 1)
  const axis = aligned.findLastIndex((n, i) => n !== to[i])
  return aligned.with(axis, to[axis])
}
