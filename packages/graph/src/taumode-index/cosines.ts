import { type CpuEngine, rowGrain } from '@tau/tensor/kernel'
import type { DenseMatrix } from '../dense/matrix.ts'
import { largestMagnitude } from '../dense/scale.ts'
import { GraphError } from '../errors.ts'
import { graphWasm } from '../kernels/wasm-module.ts'
import type { Items } from './items.ts'

/** Length of every row. Throws GraphError, with row and value, if a row is so small or large that its squares
 *  leave the range of f64. */
export const rowNorms = (op: string, { data, rows, cols }: DenseMatrix): Float64Array =>
  Float64Array.from({ length: rows }, (_, row) => {
    const largest = largestMagnitude(data, row * cols, (row + 1) * cols)
    if (largest !== 0 && !(largest > 1e-120 && largest < 1e120)) {
      throw new GraphError(
        `${op}: the largest magnitude in a row must be 0 or between 1e-120 and 1e120, got ${largest} in row ${row}; scale the rows`,
      )
    }
    let sum = 0
    for (let n = row * cols; n < (row + 1) * cols; n++) sum += data[n] * data[n]
    return Math.sqrt(sum)
  })

/** cos = u·x / |x| of a unit vector u [D] and every item, in [−1, 1]; 0 for an item of length 0. Sums are
 *  f64, in the order of assembly/dots.ts. So the cosine of an item has the same bits in any slot, on any
 *  device and number of threads. */
export const cosines = (unit: Float64Array, items: Items): Float64Array => {
  const { size, columns } = items
  const out = new Float64Array(size)
  if (items.engine) dotsOn(items.engine, unit, items, out)
  else dots(unit, items, out)
  const { norm } = columns
  for (let n = 0; n < size; n++) {
    out[n] = norm[n] === 0 ? 0 : Math.min(1, Math.max(-1, out[n] / norm[n]))
  }
  return out
}

const dotsOn = (engine: CpuEngine, unit: Float64Array, items: Items, out: Float64Array): void => {
  const { vectors, handle, size, dim } = items
  using query = engine.scratch(dim * 8)
  using result = engine.scratch(size * 8)
  const doubles = (address: number, length: number) =>
    new Float64Array(engine.view(address, 1).buffer, address, length)
  doubles(query.handle, dim).set(unit)
  const launch = engine.kernel(graphWasm, vectors instanceof Float32Array ? 'dotsF32' : 'dotsF64')
  launch([query.handle, handle, dim, result.handle], size, rowGrain(dim), () => ({
    flops: 2 * size * dim,
    bytes: size * (dim * vectors.BYTES_PER_ELEMENT + 8),
  }))
  out.set(doubles(result.handle, size))
}

/** The dot products in JavaScript. Two rows at a time, so one load of u serves both. */
const dots = (unit: Float64Array, { vectors, size, dim }: Items, out: Float64Array): void => {
  const fours = dim - (dim % 4)
  for (let slot = 0; slot < size; slot += 2) {
    const x = slot * dim
    const y = slot + 1 < size ? x + dim : x
    let [x0, x1, x2, x3] = [0, 0, 0, 0]
    let [y0, y1, y2, y3] = [0, 0, 0, 0]
    for (let e = 0; e < fours; e += 4) {
      const u0 = unit[e]
      const u1 = unit[e + 1]
      const u2 = unit[e + 2]
      const u3 = unit[e + 3]
      x0 += u0 * vectors[x + e]
      x1 += u1 * vectors[x + e + 1]
      x2 += u2 * vectors[x + e + 2]
      x3 += u3 * vectors[x + e + 3]
      y0 += u0 * vectors[y + e]
      y1 += u1 * vectors[y + e + 1]
      y2 += u2 * vectors[y + e + 2]
      y3 += u3 * vectors[y + e + 3]
    }
    let sumX = x0 + x2 + (x1 + x3)
    let sumY = y0 + y2 + (y1 + y3)
    for (let e = fours; e < dim; e++) {
      sumX += unit[e] * vectors[x + e]
      sumY += unit[e] * vectors[y + e]
    }
    out[slot] = sumX
    if (y > x) out[slot + 1] = sumY
  }
}
