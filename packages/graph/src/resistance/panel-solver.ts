import { GraphError } from '../errors.ts'
import { PANEL, type Panel, type PanelSpace } from '../kernels/panel-space.ts'
import { type KernelVectors, removeKernel } from '../spectrum/kernel-vectors.ts'
import type { Watch } from '../watch/watch.ts'

const MAX_ITERATIONS = 20_000

interface System {
  readonly degree: Float64Array
  readonly kernel: KernelVectors
  readonly tolerance: number
  /** ends the work between two iterations */
  readonly watch: Watch
}

/** Solves L·x = b for the eight columns of b; x is orthogonal to the kernel of L. It iterates until |L·x − b|
 *  ≤ tolerance·|b| in every column. The method is conjugate gradients with a Jacobi preconditioner. b loses
 *  its part in the kernel. The caller gives both panels back.
 *  Throws GraphError if it does not converge within the iterations. */
export const solvePanel = async (
  space: PanelSpace,
  { degree, kernel, tolerance, watch }: System,
  b: Panel,
): Promise<Panel> => {
  removeKernel(b, kernel)
  const [x, rest, direction, image] = [space.take(), space.take(), space.take(), space.take()]
  x.data.fill(0)
  rest.data.set(b.data)
  const inverse = degree.map((value) => (value > 0 ? 1 / value : 1))
  scaleRows(rest.data, inverse, direction.data)
  const goal = dots(b.data, b.data).map((square) => square * tolerance * tolerance)
  let energy = dots(rest.data, direction.data)
  for (let iteration = 0; dots(rest.data, rest.data).some((square, c) => square > goal[c]); iteration++) {
    if (iteration === MAX_ITERATIONS) {
      throw new GraphError(
        `solve: conjugate gradients must converge within ${MAX_ITERATIONS} iterations, got a larger error; the weights of the graph differ too much`,
      )
    }
    await watch.turn(0)
    space.step(direction, image, 1, 0, 0)
    const curvature = dots(direction.data, image.data)
    const along = energy.map((value, c) => (curvature[c] > 0 ? value / curvature[c] : 0))
    addScaled(x.data, direction.data, along)
    addScaled(
      rest.data,
      image.data,
      along.map((value) => -value),
    )
    scaleRows(rest.data, inverse, image.data)
    const next = dots(rest.data, image.data)
    const turn = next.map((value, c) => (energy[c] > 0 ? value / energy[c] : 0))
    addScaled(image.data, direction.data, turn)
    direction.data.set(image.data)
    energy = next
  }
  removeKernel(x, kernel)
  for (const panel of [rest, direction, image]) space.give(panel)
  return x
}

/** out[i, c] = x[i, c]·factors[i] */
const scaleRows = (x: Float64Array, factors: Float64Array, out: Float64Array): void => {
  for (let i = 0, n = 0; i < factors.length; i++) {
    for (let c = 0; c < PANEL; c++, n++) out[n] = x[n] * factors[i]
  }
}

/** out[i, c] += x[i, c]·factors[c] */
const addScaled = (out: Float64Array, x: Float64Array, factors: Float64Array): void => {
  for (let n = 0; n < out.length; n += PANEL) {
    for (let c = 0; c < PANEL; c++) out[n + c] += factors[c] * x[n + c]
  }
}

/** Dot product of each column of a with the same column of b. */
export const dots = (a: Float64Array, b: Float64Array): Float64Array => {
  const out = new Float64Array(PANEL)
  for (let n = 0; n < a.length; n += PANEL) {
    for (let c = 0; c < PANEL; c++) out[c] += a[n + c] * b[n + c]
  }
  return out
}
