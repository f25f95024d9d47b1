/** Philox 4×32-10: four random words as a function of a counter and a key. So the numbers of any step can be
 *  computed without the numbers before it.
 *  Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */

const ROUNDS = 10
const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9 // golden ratio
const WEYL_1 = 0xbb67ae85 // √3 − 1

/** `counter` (four unsigned 32-bit words) and `key` (two) → four unsigned 32-bit words. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0)
    const low0 = Math.imul(MULTIPLIER_0, c0)
    const high1 = multiplyHigh(MULTIPLIER_1, c2)
    const low1 = Math.imul(MULTIPLIER_1, c2)
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1 >>> 0
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0 >>> 0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** Upper 32 bits of the 64-bit product of two unsigned words. Each half of `b` is multiplied exactly in a
 *  double: the products have at most 48 bits. */
function multiplyHigh(a: number, b: number): number {
  const low = a * (b & 0xffff)
  const high = a * (b >>> 16) + Math.floor(low / 0x10000)
  return Math.floor(high / 0x10000)
}
