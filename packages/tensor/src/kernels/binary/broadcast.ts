import type { Shape } from '../../shape.ts'

/** Four loops over [n0, n1, n2, n3] with the step of each operand per loop: 0 where it is broadcast. */
export interface Loops {
  readonly dims: readonly [number, number, number, number]
  readonly stepsA: readonly [number, number, number, number]
  readonly stepsB: readonly [number, number, number, number]
}

interface Axis {
  n: number
  a: number
  b: number
}

/** The loops over two operands of one run of n elements each. */
export const contiguousLoops = (n: number): Loops => ({
  dims: [1, 1, 1, n],
  stepsA: [0, 0, 0, 1],
  stepsB: [0, 0, 0, 1],
})

/** The loops that broadcast both operands to `shape`, or undefined when even after joining neighbouring axes more than four
 *  are needed. Axes join when both operands step through them as through one. */
export function broadcastLoops(shapeA: Shape, shapeB: Shape, shape: Shape): Loops | undefined {
  const axes: Axis[] = []
  let strideA = 1
  let strideB = 1
  for (let i = 1; i <= shape.length; i++) {
    const n = shape[shape.length - i]
    const sizeA = shapeA[shapeA.length - i] ?? 1
    const sizeB = shapeB[shapeB.length - i] ?? 1
    const axis = { n, a: sizeA === 1 ? 0 : strideA, b: sizeB === 1 ? 0 : strideB }
    strideA *= sizeA
    strideB *= sizeB
    if (n === 1) continue
    const inner = axes.at(-1)
    if (inner && axis.a === inner.a * inner.n && axis.b === inner.b * inner.n) inner.n *= n
    else axes.push(axis)
  }
  if (axes.length > 4) return undefined
  while (axes.length < 4) axes.push({ n: 1, a: 0, b: 0 })
  const [d3, d2, d1, d0] = axes
  return {
    dims: [d0.n, d1.n, d2.n, d3.n],
    stepsA: [d0.a, d1.a, d2.a, d3.a],
    stepsB: [d0.b, d1.b, d2.b, d3.b],
  }
}
