import { record, refuseTape } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { described, ShapeError, shapeText } from '../../errors.ts'
import { normalizeAxis, type Shape, splitAt } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { broadcastTo } from '../binary/broadcast-to.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

export const REDUCE_OPS = ['sum', 'max'] as const
export type ReduceOp = (typeof REDUCE_OPS)[number]

/** x [outer, length, inner] → out [outer, inner]. Sums are in f64 on the cpu backend, and compensated sums in
 *  f32 elsewhere. */
export type ReduceKernel = (
  op: ReduceOp,
  x: Handle,
  out: Handle,
  outer: number,
  length: number,
  inner: number,
) => void

function reduceAxis(op: ReduceOp, x: Tensor, axis: number): Tensor {
  const { outer, length, inner } = splitAt(x.shape, axis)
  const out = x.device.empty(x.shape.toSpliced(axis, 1))
  kernelsOf(x.device).reduce(op, x.handle, out.handle, outer, length, inner)
  return out
}

/** One or several axes; negative ones count from the last. */
export type Axes = number | readonly number[]

/** Reduces `axes` (default: all), from the last to the first. Neighbouring axes are reduced together. */
function reduce(op: ReduceOp, x: Tensor, axes: Axes | undefined): { out: Tensor; kept: Shape } {
  const all = x.shape.map((_, i) => i)
  const named = typeof axes === 'number' ? [axes] : (axes ?? all)
  if (!Array.isArray(named))
    throw new ShapeError(`${op}: axes must be a number or an array of numbers, got ${described(named)}`)
  const chosen = new Set(named.map((axis) => normalizeAxis(op, axis, x.rank)))
  using scope = x.device.scope()
  let current = x.view()
  for (let last = x.rank - 1; last >= 0; last--) {
    if (!chosen.has(last)) continue
    let first = last
    while (chosen.has(first - 1)) first--
    const { shape } = current
    const joined = shape.slice(first, last + 1).reduce((product, n) => product * n, 1)
    const merged = current.view([...shape.slice(0, first), joined, ...shape.slice(last + 1)])
    current = reduceAxis(op, merged, first)
    last = first
  }
  return { out: scope.keep(current), kept: x.shape.map((n, i) => (chosen.has(i) ? 1 : n)) }
}

/** Sum over one or several axes (default: all). Reduced axes are removed. */
export function sum(x: Tensor, axes?: Axes): Tensor {
  checkDType('sum', 'x', x, 'f32')
  const { out, kept } = reduce('sum', x, axes)
  return record('sum', [x], out, (dOut) => [broadcastTo(dOut.view(kept), x.shape)])
}

/** Largest element over one or several axes (default: all); NaN if any element is NaN. Reduced axes are
 *  removed. No gradient. */
export function max(x: Tensor, axes?: Axes): Tensor {
  checkDType('max', 'x', x, 'f32')
  refuseTape('max', x)
  if (x.size === 0)
    throw new ShapeError(`max: tensor must hold at least one element, got ${shapeText(x.shape)}`)
  return reduce('max', x, axes).out
}
