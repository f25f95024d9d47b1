/** The choice, one element at a time, for operands of one length. */
export const whereReference = (mask: Float64Array, a: Float64Array, b: Float64Array): Float64Array =>
  mask.map((chooser, i) => (chooser !== 0 ? a[i] : b[i]))
