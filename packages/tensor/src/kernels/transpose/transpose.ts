import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { normalizeAxis, sizeOf } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** x [outer, a, b, inner] → out [outer, b, a, inner]. */
export type TransposeKernel = (
  x: Handle,
  out: Handle,
  outer: number,
  a: number,
  b: number,
  inner: number,
) => void

/** Reorders the axes: axis i of the result is axis `order[i]` of x. Returns a copy. */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  checkDType('permute', 'x', x, 'f32')
  const axes = order.map((axis) => normalizeAxis('permute', axis, x.rank))
  if (axes.length !== x.rank || new Set(axes).size !== x.rank)
    throw new ShapeError(`permute: order must name each of the ${x.rank} axes once, got ${shapeText(order)}`)
  const out = swapBlocks(x, axes)
  const inverse = axes.map((_, i) => axes.indexOf(i))
  return record('permute', [x], out, (dOut) => [swapBlocks(dOut, inverse)])
}

/** Exchanges two axes; default: the last two. Returns a copy. */
export function transpose(x: Tensor, axis1 = -2, axis2 = -1): Tensor {
  checkDType('transpose', 'x', x, 'f32')
  const a = normalizeAxis('transpose', axis1, x.rank)
  const b = normalizeAxis('transpose', axis2, x.rank)
  const order = x.shape.map((_, i) => (i === a ? b : i === b ? a : i))
  return permute(x, order)
}

/** Permutes axes. Each step moves one axis to the front of the axes that are not yet placed, so at most rank
 *  − 1 steps are needed. A step is one exchange of two neighbouring blocks of axes. */
function swapBlocks(x: Tensor, order: readonly number[]): Tensor {
  using scope = x.device.scope()
  const kernels = kernelsOf(x.device)
  let current = x.view()
  const placed = x.shape.map((_, i) => i)
  for (let to = 0; to < order.length; to++) {
    const from = placed.indexOf(order[to])
    if (from === to) continue
    const { shape } = current
    const moved = [...shape.slice(0, to), shape[from], ...shape.slice(to, from), ...shape.slice(from + 1)]
    const next = x.device.empty(moved)
    kernels.transpose(
      current.handle,
      next.handle,
      sizeOf(shape.slice(0, to)),
      sizeOf(shape.slice(to, from)),
      shape[from],
      sizeOf(shape.slice(from + 1)),
    )
    placed.splice(from, 1)
    placed.splice(to, 0, order[to])
    current.dispose()
    current = next
  }
  return scope.keep(current)
}
