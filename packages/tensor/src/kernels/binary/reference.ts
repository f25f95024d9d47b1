import type { BinaryOp } from './binary.ts'

const OPERATIONS: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
}

/** One element at a time, by NumPy's rule of broadcasting. */
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
