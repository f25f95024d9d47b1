/** Elements start … end−1 of the middle axis of x [outer, length, inner]. */
export function sliceReference(
  x: Float64Array,
  outer: number,
  length: number,
  inner: number,
  start: number,
  end: number,
): Float64Array {
  const out: number[] = []
  for (let o = 0; o < outer; o++)
    for (let i = start; i < end; i++)
      for (let n = 0; n < inner; n++) out.push(x[(o * length + i) * inner + n])
  return Float64Array.from(out)
}

/** Arrays [outer, lengths[k], inner] joined along the middle axis. */
export function concatReference(
  arrays: readonly Float64Array[],
  outer: number,
  lengths: readonly number[],
  inner: number,
): Float64Array {
  const out: number[] = []
  for (let o = 0; o < outer; o++)
    arrays.forEach((array, k) => {
      const run = lengths[k] * inner
      out.push(...array.slice(o * run, (o + 1) * run))
    })
  return Float64Array.from(out)
}
