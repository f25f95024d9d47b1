import type { Shape } from '../../shape.ts'

type Four = readonly [number, number, number, number]

/** Four loops over `dims`, with a step per operand and loop; the step is 0 along a broadcast axis. */
export interface Loops {
  readonly dims: Four
  readonly steps: readonly Four[]
}

/** The loops over contiguous operands of n elements each. */
export const contiguousLoops = (n: number, operands: number): Loops => ({
  dims: [1, 1, 1, n],
  steps: Array.from({ length: operands }, () => [0, 0, 0, 1] as const),
})

interface Axis {
  n: number
  steps: number[]
}

/** The loops that broadcast operands of these shapes to `shape`. Neighbouring axes are joined if all operands
 *  step through them as through one axis. Undefined if more than four loops remain. */
export function broadcastLoops(shapes: readonly Shape[], shape: Shape): Loops | undefined {
  const axes: Axis[] = []
  const strides = shapes.map(() => 1)
  for (let i = 1; i <= shape.length; i++) {
    const n = shape[shape.length - i]
    const sizes = shapes.map((operand) => operand[operand.length - i] ?? 1)
    const steps = sizes.map((size, operand) => (size === 1 ? 0 : strides[operand]))
    sizes.forEach((size, operand) => {
      strides[operand] *= size
    })
    if (n === 1) continue
    const inner = axes.at(-1)
    if (inner?.steps.every((step, operand) => steps[operand] === step * inner.n)) inner.n *= n
    else axes.push({ n, steps })
  }
  if (axes.length > 4) return undefined
  while (axes.length < 4) axes.push({ n: 1, steps: shapes.map(() => 0) })
  const [d3, d2, d1, d0] = axes
  return {
    dims: [d0.n, d1.n, d2.n, d3.n],
    steps: shapes.map((_, operand) => [
      d0.steps[operand],
      d1.steps[operand],
      d2.steps[operand],
      d3.steps[operand],
    ]),
  }
}
