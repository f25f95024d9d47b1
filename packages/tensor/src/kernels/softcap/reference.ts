/** cap · tanh(x / cap). */
export const softcapReference = (x: Float64Array, cap: number): Float64Array =>
  x.map((value) => cap * Math.tanh(value / cap))
