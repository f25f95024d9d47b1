import { BackendError, record, ShapeError, shapeText, type Tensor } from '@tau/tensor'
import { checkRank, type Handle } from '@tau/tensor/kernel'
import { kernelsOf } from '../table.ts'
import { anglesOf, type RopeTable } from './rope-table.ts'

/** out[n, t] is x[n, t], rotated by the angles in row first + t of table [times, D]. A row of the table holds
 *  D/2 cosines, then D/2 sines. `sign` −1 rotates back. `rows` counts all vectors; time runs fastest. */
export type RopeKernel = (
  x: Handle,
  table: { readonly handle: Handle; readonly first: number },
  out: Handle,
  rows: number,
  length: number,
  dim: number,
  sign: 1 | -1,
) => void

export interface RopeOptions {
  /** Time of the first position, which is the number of tokens before it. Default 0. */
  start?: number
  /** Default 10 000. */
  base?: number
  /** Angles that stay on the device, with their base. Default: computed for this call. */
  table?: RopeTable
}

/** Rotary position embedding (docs/definition.md, section 4). The channels c and c + D/2 of the vector at
 *  time t are rotated by the angle a = (start + t)·base^(−2c/D):
 *    y_c = x_c·cos a + x_{c+D/2}·sin a,   y_{c+D/2} = x_{c+D/2}·cos a − x_c·sin a
 *  x [..., T, D], D even → the same shape. Norms stay the same, and dot products depend only on the
 *  difference of times. Source: Su et al., RoFormer (2021), eq. 34. Here channels of the two halves form
 *  pairs instead of neighbours, and the angle is negative, as in nanochat. */
export function rope(x: Tensor, options: RopeOptions = {}): Tensor {
  checkRank('rope', 'x', x, 2)
  const [length, dim] = x.shape.slice(-2)
  if (dim === 0 || dim % 2 !== 0)
    throw new ShapeError(`rope: the last axis must be even and not empty, got ${shapeText(x.shape)}`)
  const { start, base } = checkAngles('rope', x, dim, options)
  const { device } = x
  const rows = x.size / dim
  const { values, first } = options.table?.at(start, length) ?? anglesOf(device, start, length, dim, base)
  const turn = (from: Tensor, sign: 1 | -1) => {
    const to = device.empty(x.shape)
    const table = { handle: values.handle, first }
    kernelsOf(device).rope(from.handle, table, to.handle, rows, length, dim, sign)
    return to
  }
  const out = turn(x, 1)
  if (!device.tape) values.dispose()
  return record('rope', [x], out, (dOut) => [turn(dOut, -1)])
}

/** Checks the options and returns start and base. Throws if they give no angles, or if the table is for
 *  another vector length or lives on another device. */
export function checkAngles(
  op: string,
  x: Tensor,
  dim: number,
  { start = 0, table, base = table?.base ?? 10_000 }: RopeOptions,
): { start: number; base: number } {
  if (!(Number.isInteger(start) && start >= 0))
    throw new RangeError(`${op}: start must be a whole number of at least 0, got ${start}`)
  if (!(base > 1 && base < Infinity))
    throw new RangeError(`${op}: base must be above 1 and finite, got ${base}`)
  if (table && table.base !== base)
    throw new RangeError(`${op}: base must equal the table's base ${table.base}, got ${base}; leave it out`)
  if (table && table.dim !== dim)
    throw new ShapeError(`${op}: table must be for vectors of ${dim} elements, got one for ${table.dim}`)
  if (table && table.device !== x.device)
    throw new BackendError(`${op}: the table must live on the device of the vectors, got another`)
  return { start, base }
}
