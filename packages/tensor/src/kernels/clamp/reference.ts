/** min(max(x, low), high). */
export const clampReference = (x: Float64Array, low: number, high: number): Float64Array =>
  x.map((value) => Math.min(Math.max(value, low), high))
