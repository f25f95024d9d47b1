import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkDType } from '../check.ts'
import { fill } from '../fill/fill.ts'
import { kernelsOf } from '../table.ts'

/** out[i] = table[ids[i]] for i < count, in rows of `width` elements. An id outside [0, tableRows) gives a
 *  row of NaN. */
export type GatherKernel = (
  table: Handle,
  ids: Handle,
  out: Handle,
  count: number,
  tableRows: number,
  width: number,
) => void
/** target[ids[i]] += rows[i] for i < count, in the order of i. Ids outside [0, tableRows) are skipped. */
export type ScatterAddKernel = (
  target: Handle,
  ids: Handle,
  rows: Handle,
  count: number,
  tableRows: number,
  width: number,
) => void

/** Rows of `table` [V, C] chosen by `ids` [...] (i32) → [..., C]. An id outside [0, V) gives a row of NaN,
 *  never another row. This function cannot check the ids without waiting for them, so check them where they
 *  enter the program (the model does). */
export function embedding(table: Tensor, ids: Tensor<'i32'>): Tensor {
  checkDevice('embedding', table, ids)
  checkDType('embedding', 'ids', ids, 'i32')
  if (table.rank !== 2)
    throw new ShapeError(`embedding: table must be [rows, width], got ${shapeText(table.shape)}`)
  const { device } = table
  const [tableRows, width] = table.shape
  const out = device.empty([...ids.shape, width])
  kernelsOf(device).gather(table.handle, ids.handle, out.handle, ids.size, tableRows, width)
  return record('embedding', [table], out, (dOut) => {
    const dTable = fill(device, table.shape, 0)
    kernelsOf(device).scatterAdd(dTable.handle, ids.handle, dOut.handle, ids.size, tableRows, width)
    return [dTable]
  })
}
