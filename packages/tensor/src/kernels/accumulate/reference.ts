/** target + scale · x. */
export const accumulateReference = (target: Float64Array, x: Float64Array, scale: number): Float64Array =>
  target.map((value, i) => value + scale * x[i])
