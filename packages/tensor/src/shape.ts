import { ShapeError, shapeText } from './errors.ts'

/** Sizes of the axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[]

/** Number of elements: the product of the axes, 1 for a scalar. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, axis) => product * axis, 1)

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((axis, i) => axis === b[i])

/** Throws unless every axis is a whole number ≥ 0. */
export function checkShape(op: string, shape: Shape): void {
  if (shape.every((axis) => Number.isInteger(axis) && axis >= 0)) return
  throw new ShapeError(`${op}: shape must hold whole numbers of at least 0, got ${shapeText(shape)}`)
}

/** Maps −rank … rank−1 to 0 … rank−1; axis −1 is the last one. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis
  if (Number.isInteger(axis) && normal >= 0 && normal < rank) return normal
  if (rank === 0) throw new ShapeError(`${op}: a scalar has no axes, got axis ${axis}; reshape it to [1]`)
  throw new ShapeError(`${op}: axis must be between ${-rank} and ${rank - 1}, got ${axis}`)
}

/** The shape of two broadcast operands by NumPy's rule: align at the last axis; sizes must be equal, or one
 *  of them 1. */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1
    const n = b[i - rank + b.length] ?? 1
    if (m === n || n === 1) return m
    if (m === 1) return n
    throw new ShapeError(
      `${op}: shapes must be equal or 1 on every axis, counted from the last, got ${shapeText(a)} and ${shapeText(b)}; reshape one of them`,
    )
  })
}

/** The number of elements before, at and after `axis`. Every reduction runs over the middle of [outer,
 *  length, inner]. */
export function splitAt(shape: Shape, axis: number): { outer: number; length: number; inner: number } {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    length: shape[axis],
    inner: sizeOf(shape.slice(axis + 1)),
  }
}

/** Replaces one −1 in `shape` by the size with which the shape holds `size` elements. */
export function inferShape(op: string, shape: Shape, size: number): number[] {
  const known = sizeOf(shape.filter((axis) => axis !== -1))
  const unknown = shape.filter((axis) => axis === -1).length
  const resolved = shape.map((axis) => (axis === -1 ? size / known : axis))
  if (
    unknown <= 1 &&
    resolved.every((axis) => Number.isInteger(axis) && axis >= 0) &&
    sizeOf(resolved) === size
  )
    return resolved
  throw new ShapeError(
    `${op}: shape must hold ${size} elements, with at most one -1, got ${shapeText(shape)}`,
  )
}
