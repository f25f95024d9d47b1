/** Running sums along the middle axis of x [outer, length, inner]. */
export function cumsumReference(x: Float64Array, outer: number, length: number, inner: number): Float64Array {
  const out = x.slice()
  for (let o = 0; o < outer; o++)
    for (let i = 1; i < length; i++)
      for (let n = 0; n < inner; n++) {
        const at = (o * length + i) * inner + n
        out[at] += out[at - inner]
      }
  return out
}
