import { checkRank, type Handle, record, ShapeError, shapeText, type Tensor } from '@tau/tensor'
import { kernelsOf } from '../table.ts'

/** out[n, t] = x[n, t] turned by the angles of time t: table [length, D] holds D/2 cosines, then D/2 sines, per time.
 *  `sign` −1 turns back. rows = all vectors, time fastest. */
export type RopeKernel = (
  x: Handle,
  table: Handle,
  out: Handle,
  rows: number,
  length: number,
  dim: number,
  sign: 1 | -1,
) => void

export interface RopeOptions {
  /** Time of the first position: the number of tokens before. */
  start?: number
  base?: number
}

/** Cosines and sines of the angles (start + t)·base^(−2c/D), t < length, c < D/2, computed in f64: [length, D/2] each. */
export function ropeTables(
  start: number,
  length: number,
  dim: number,
  base = 10_000,
): { cos: Float64Array; sin: Float64Array } {
  const half = dim / 2
  const cos = new Float64Array(length * half)
  const sin = new Float64Array(length * half)
  const frequencies = Float64Array.from({ length: half }, (_, c) => base ** ((-2 * c) / dim))
  for (let t = 0; t < length; t++)
    frequencies.forEach((frequency, c) => {
      cos[t * half + c] = Math.cos((start + t) * frequency)
      sin[t * half + c] = Math.sin((start + t) * frequency)
    })
  return { cos, sin }
}

/** Rotary position embedding: pairs (c, c + D/2) of the vector at time t turn by the angle a = (start + t)·base^(−2c/D),
 *  y_c = x_c·cos a + x_{c+D/2}·sin a, y_{c+D/2} = x_{c+D/2}·cos a − x_c·sin a.
 *  x [..., T, D], D even → the same shape. Norms stay, and dot products depend on the difference of times only.
 *  Source: Su et al., RoFormer (2021), eq. 34, halves instead of neighbours paired and the angle negative, as in nanochat. */
export function rope(x: Tensor, { start = 0, base = 10_000 }: RopeOptions = {}): Tensor {
  checkRank('rope', 'x', x, 2)
  const [length, dim] = x.shape.slice(-2)
  if (dim === 0 || dim % 2 !== 0)
    throw new ShapeError(`rope: the last axis must be even and not empty, got ${shapeText(x.shape)}`)
  checkAngles('rope', { start, base })
  const { device } = x
  const rows = x.size / dim
  const table = device.tensor(packedTable(start, length, dim, base), [length, dim])
  const out = device.empty(x.shape)
  kernelsOf(device).rope(x.handle, table.handle, out.handle, rows, length, dim, 1)
  return record('rope', [x], out, (dOut) => {
    const dX = device.empty(x.shape)
    kernelsOf(device).rope(dOut.handle, table.handle, dX.handle, rows, length, dim, -1)
    return [dX]
  })
}

/** Throws unless times and base give angles. */
export function checkAngles(op: string, { start = 0, base = 10_000 }: RopeOptions): void {
  if (!(Number.isInteger(start) && start >= 0))
    throw new RangeError(`${op}: start must be a whole number of at least 0, got ${start}`)
  if (!(base > 1 && base < Infinity))
    throw new RangeError(`${op}: base must be above 1 and finite, got ${base}`)
}

/** Tables from time 0 by dim and base: pure values, kept because every layer of every step asks for the same ones. */
const tables = new Map<string, { length: number; values: Float32Array }>()
const KEPT_TABLES = 8

function packedTable(start: number, length: number, dim: number, base: number): Float32Array {
  const key = `${dim} ${base}`
  const kept = tables.get(key)
  if (kept && start + length <= kept.length) return kept.values.subarray(start * dim, (start + length) * dim)
  const { cos, sin } = ropeTables(start, length, dim, base)
  const half = dim / 2
  const values = new Float32Array(length * dim)
  for (let t = 0; t < length; t++) {
    values.set(cos.subarray(t * half, (t + 1) * half), t * dim)
    values.set(sin.subarray(t * half, (t + 1) * half), t * dim + half)
  }
  if (start === 0) {
    const [oldest] = tables.keys()
    if (!kept && tables.size >= KEPT_TABLES) tables.delete(oldest)
    tables.set(key, { length, values })
  }
  return values
}
