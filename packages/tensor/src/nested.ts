import { DTypeError, described, ShapeError } from './errors.ts'
import type { Shape } from './shape.ts'

/** A number, or arrays of numbers to any depth: `[[1, 2], [3, 4]]` has the shape [2, 2]. */
export type NestedNumbers = number | ArrayLike<NestedNumbers>

/** Flattens nested arrays into one row-major array, with their shape. Throws ShapeError if arrays of one
 *  depth differ in length, DTypeError if a value is not a number. */
export function flatten(values: NestedNumbers): { shape: Shape; flat: ArrayLike<number> } {
  const shape = shapeOf(values)
  if (shape.length === 1 && isTyped(values)) return { shape, flat: values }
  const flat: number[] = []
  append(values, shape, [], flat)
  return { shape, flat }
}

/** Lengths of the first array at each depth. */
function shapeOf(values: NestedNumbers): number[] {
  const shape: number[] = []
  for (let first = values; isArray(first); first = first[0]) shape.push(first.length)
  return shape
}

function append(values: NestedNumbers, shape: Shape, path: readonly number[], flat: number[]): void {
  const depth = path.length
  if (depth === shape.length) flat.push(numberAt(values, shape, path))
  else if (!isArray(values)) throw ragged(shape, path, described(values))
  else if (values.length !== shape[depth]) throw ragged(shape, path, `length ${values.length}`)
  else
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value === 'number' && depth === shape.length - 1) flat.push(value)
      else append(value, shape, [...path, i], flat)
    }
}

function numberAt(value: NestedNumbers, shape: Shape, path: readonly number[]): number {
  if (typeof value === 'number') return value
  if (isArray(value)) throw ragged(shape, path, `length ${value.length}`)
  throw new DTypeError(`tensor: values must be numbers, got ${described(value)}${at(path)}`)
}

function ragged(shape: Shape, path: readonly number[], found: string): ShapeError {
  const depth = path.length
  const first = depth < shape.length ? `length ${shape[depth]}` : 'a number'
  const firstPath = path.map(() => 0)
  return new ShapeError(
    `tensor: nested arrays must have one length at each depth, got ${first}${at(firstPath)} and ${found}${at(path)}; pad the shorter ones`,
  )
}

const at = (path: readonly number[]): string => (path.length === 0 ? '' : ` at [${path.join('][')}]`)

const isArray = (values: unknown): values is ArrayLike<NestedNumbers> =>
  typeof values === 'object' && values !== null && 'length' in values && typeof values.length === 'number'

/** A typed array of numbers, not of bigints. */
const isTyped = (values: unknown): values is ArrayLike<number> =>
  ArrayBuffer.isView(values) && isArray(values) && (values.length === 0 || typeof values[0] === 'number')
