import { type Shape, sizeOf } from './shape.ts'

/** Tensors of up to this many elements are shown completely. */
const SHOWN_IN_FULL = 64
/** In larger tensors, each axis shows this many elements at both ends. */
const EDGE = 3
const GAP = '...'

/** The values of a tensor as nested brackets, in at most six significant digits. */
export function valuesText(values: ArrayLike<number>, shape: Shape): string {
  const indices = shape.map((n) => shownIndices(n, sizeOf(shape) > SHOWN_IN_FULL))
  const texts: string[] = []
  const collect = (axis: number, start: number): void => {
    if (axis === shape.length) texts.push(numberText(values[start]))
    else for (const i of indices[axis]) if (i >= 0) collect(axis + 1, start * shape[axis] + i)
  }
  collect(0, 0)
  const width = Math.max(0, ...texts.map(({ length }) => length))
  let next = 0
  const brackets = (axis: number): string => {
    if (axis === shape.length) return texts[next++].padStart(shape.length === 0 ? 0 : width)
    const parts = indices[axis].map((i) => (i < 0 ? GAP : brackets(axis + 1)))
    const below = shape.length - axis - 1 // axes inside this one
    const separator = below === 0 ? ', ' : `,${'\n'.repeat(below)}${' '.repeat(axis + 1)}`
    return `[${parts.join(separator)}]`
  }
  return brackets(0)
}

/** Indices along an axis of length n; −1 stands for the omitted ones. */
function shownIndices(n: number, shorten: boolean): number[] {
  if (!shorten || n <= 2 * EDGE) return Array.from({ length: n }, (_, i) => i)
  const edge = Array.from({ length: EDGE }, (_, i) => i)
  return [...edge, -1, ...edge.map((i) => n - EDGE + i)]
}

const numberText = (value: number): string =>
  Object.is(value, -0) ? '-0' : String(Number(value.toPrecision(6)))
