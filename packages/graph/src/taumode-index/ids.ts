import { GraphError } from '../errors.ts'

/** All ids are below this number. So the next id is always an exact integer, too. */
const END = Number.MAX_SAFE_INTEGER

/** The ids of m new items: the given ones after checks, or m ids from `next` on. Throws GraphError, with row
 *  and value, for ids that are not integers from 0 to 2^53 − 2, that occur twice, or that are in use. */
export const newIds = (
  op: string,
  ids: ArrayLike<number> | undefined,
  rows: number,
  next: number,
  isTaken: (id: number) => boolean,
): Float64Array => {
  const given = ids ?? Array.from({ length: rows }, (_, n) => next + n)
  if (given.length !== rows) {
    throw new GraphError(`${op}: there must be one id per row, got ${given.length} ids for ${rows} rows`)
  }
  const rowOf = new Map<number, number>()
  for (let row = 0; row < rows; row++) {
    const id = given[row]
    if (!Number.isInteger(id) || id < 0 || id >= END) {
      throw new GraphError(
        `${op}: ids must be integers from 0 to ${END - 1}, got ${id} in row ${row}; number the items`,
      )
    }
    if (isTaken(id)) {
      throw new GraphError(
        `${op}: ids must be new, got ${id} in row ${row}, which is in use; remove it first`,
      )
    }
    const before = rowOf.get(id)
    if (before !== undefined) {
      throw new GraphError(
        `${op}: ids must differ, got ${id} in rows ${before} and ${row}; change one of them`,
      )
    }
    rowOf.set(id, row)
  }
  return Float64Array.from(rowOf.keys()) // a map turns −0 into 0
}
