/** Rows of the table; NaN for ids outside it. */
export function gatherReference(table: Float64Array, ids: ArrayLike<number>, width: number): Float64Array {
  const out = new Float64Array(ids.length * width)
  for (let i = 0; i < ids.length; i++)
    for (let c = 0; c < width; c++) out[i * width + c] = table[ids[i] * width + c] ?? Number.NaN
  return out
}

/** Adds every row to the table at its id. Ids outside the table are skipped. */
export function scatterAddReference(
  table: Float64Array,
  ids: ArrayLike<number>,
  rows: Float64Array,
  width: number,
): Float64Array {
  const out = table.slice()
  for (let i = 0; i < ids.length; i++)
    for (let c = 0; c < width; c++)
      if (ids[i] * width + c in out) out[ids[i] * width + c] += rows[i * width + c]
  return out
}
