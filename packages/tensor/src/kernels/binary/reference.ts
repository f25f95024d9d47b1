import type { BinaryOp } from './binary.ts'

/** x^y by the rules of C and PyTorch. In JavaScript 1 ** NaN and (±1) ** Infinity are NaN. */
const pow = (x: number, y: number): number =>
  x === 1 || (Math.abs(x) === 1 && Math.abs(y) === Infinity) ? 1 : x ** y

const OPERATIONS: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  pow,
  powSlopeX: (x, y) => (y === 0 ? 0 : y * pow(x, y - 1)),
  powSlopeY: (x, y) => (x === 0 && y >= 0 ? 0 : pow(x, y) * Math.log(x)),
}

/** The operation, one element at a time, with NumPy's broadcasting. */
export function binaryReference(
  op: BinaryOp,
  a: Float64Array,
  shapeA: readonly number[],
  b: Float64Array,
  shapeB: readonly number[],
): Float64Array {
  const rank = Math.max(shapeA.length, shapeB.length)
  const pad = (shape: readonly number[]) => [...Array<number>(rank - shape.length).fill(1), ...shape]
  const [padA, padB] = [pad(shapeA), pad(shapeB)]
  const shape = padA.map((n, i) => (n === 1 ? padB[i] : n))
  const at = (index: readonly number[], padded: readonly number[]) =>
    padded.reduce((offset, n, i) => offset * n + (n === 1 ? 0 : index[i]), 0)
  return Float64Array.from({ length: shape.reduce((product, n) => product * n, 1) }, (_, flat) => {
    const index = shape.map((n, i) => {
      const inner = shape.slice(i + 1).reduce((product, m) => product * m, 1)
      return Math.floor(flat / inner) % n
    })
    return OPERATIONS[op](a[at(index, padA)], b[at(index, padB)])
  })
}
