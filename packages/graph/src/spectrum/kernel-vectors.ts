import { GraphError } from '../errors.ts'
import { PANEL, type Panel } from '../kernels/panel-space.ts'
import { connectedComponents } from '../sparse/components.ts'
import { type Csr, spmv } from '../sparse/csr.ts'

/** The kernel of a Laplacian, with one vector of length 1 per connected component. Vector c has the elements
 *  `unit[i]` on the nodes with label c, and 0 elsewhere. So the vectors are orthonormal. */
export interface KernelVectors {
  readonly count: number
  readonly labels: Int32Array
  readonly unit: Float64Array
}

/** A sum counts as 0 if its magnitude is below this share of the largest value. */
const ROUNDING = 1e-11

/** The kernel of m, from a vector x with m·x = 0 and no zero element. The parts of x on the components are
 *  the kernel vectors. Without a vector, ones are tried. The result is undefined if the rows of m do not sum
 *  to 0.
 *  Throws GraphError if m·x is not 0, naming the row. */
export const kernelVectors = (op: string, m: Csr, vector?: ArrayLike<number>): KernelVectors | undefined => {
  if (vector && vector.length !== m.nRows) {
    throw new GraphError(`${op}: kernelVector must have ${m.nRows} elements, got ${vector.length}`)
  }
  const x = vector ? Float64Array.from(vector) : new Float64Array(m.nRows).fill(1)
  const zero = x.findIndex((value) => value === 0 || !Number.isFinite(value))
  if (zero >= 0) {
    throw new GraphError(`${op}: kernelVector must be finite and not 0, got ${x[zero]} at ${zero}`)
  }
  const scale = Math.max(largest(m.values) * largest(x), Number.MIN_VALUE)
  const product = spmv(m, x)
  const wrong = product.findIndex((value) => Math.abs(value) > ROUNDING * scale)
  if (wrong >= 0) {
    if (!vector) return undefined
    throw new GraphError(
      `${op}: L times kernelVector must be 0, got ${product[wrong]} in row ${wrong}; pass the diagonal that laplacian returned with this L`,
    )
  }
  const { count, labels } = connectedComponents(m)
  const squares = new Float64Array(count)
  for (let i = 0; i < x.length; i++) squares[labels[i]] += x[i] * x[i]
  return { count, labels, unit: x.map((value, i) => value / Math.sqrt(squares[labels[i]])) }
}

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

/** One kernel vector as a full column. */
export const kernelColumn = ({ labels, unit }: KernelVectors, component: number): Float64Array =>
  unit.map((value, i) => (labels[i] === component ? value : 0))

/** The same kernel for another order of the nodes. */
export const permutedKernel = (kernel: KernelVectors, order: Int32Array): KernelVectors => ({
  count: kernel.count,
  labels: Int32Array.from(order, (node) => kernel.labels[node]),
  unit: Float64Array.from(order, (node) => kernel.unit[node]),
})

/** Removes the part in the kernel from the columns of a panel. */
export const removeKernel = ({ data }: Panel, { count, labels, unit }: KernelVectors): void => {
  const products = new Float64Array(count * PANEL)
  for (let i = 0, n = 0; i < labels.length; i++) {
    const at = labels[i] * PANEL
    for (let j = 0; j < PANEL; j++) products[at + j] += unit[i] * data[n++]
  }
  for (let i = 0, n = 0; i < labels.length; i++) {
    const at = labels[i] * PANEL
    for (let j = 0; j < PANEL; j++) data[n++] -= unit[i] * products[at + j]
  }
}
