/** Index of the largest element along the middle axis of [outer, length, inner]. If there is a NaN, the first
 *  NaN counts. */
export function argmaxReference(x: Float64Array, outer: number, length: number, inner: number): number[] {
  const found: number[] = []
  for (let o = 0; o < outer; o++)
    for (let n = 0; n < inner; n++) {
      const column = Array.from({ length }, (_, i) => x[(o * length + i) * inner + n])
      const firstNan = column.findIndex(Number.isNaN)
      found.push(firstNan >= 0 ? firstNan : column.indexOf(Math.max(...column)))
    }
  return found
}
