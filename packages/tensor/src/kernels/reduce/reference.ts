import type { ReduceOp } from './reduce.ts'

/** Reduces `axes` one element of x at a time. */
export function reduceReference(
  op: ReduceOp,
  x: Float64Array,
  shape: readonly number[],
  axes: readonly number[],
): Float64Array {
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const size = kept.reduce((product, axis) => product * shape[axis], 1)
  const out = new Float64Array(size).fill(op === 'sum' ? 0 : Number.NEGATIVE_INFINITY)
  x.forEach((value, flat) => {
    let rest = flat
    const index = shape.map(() => 0)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]
      rest = Math.floor(rest / shape[axis])
    }
    const at = kept.reduce((offset, axis) => offset * shape[axis] + index[axis], 0)
    out[at] = op === 'sum' ? out[at] + value : Math.max(out[at], value)
  })
  return out
}
