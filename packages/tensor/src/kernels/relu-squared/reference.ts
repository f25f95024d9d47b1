/** max(x, 0)². */
export const reluSquaredReference = (x: Float64Array): Float64Array =>
  x.map((value) => Math.max(value, 0) ** 2)
