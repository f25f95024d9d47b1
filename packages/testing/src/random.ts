/** Reproducible f64 numbers, roughly normal: each is a sum of four uniform numbers, with variance 1. They
 *  come from a 32-bit mixing counter. */
export function randomArray(length: number, seed: number): Float64Array {
  let state = Math.imul(seed + 1, 0x9e3779b9) >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
  return Float64Array.from(
    { length },
    () => (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3),
  )
}
