/** Natural logarithm of a positive normal number, from +, ×, ÷ only, with a relative error below 1e-15.
 *  Math.log may differ in the last bit between engines, but one seed must give the same numbers
 *  everywhere. */
export function portableLog(x: number): number {
  let exponent = 0
  while (x > Math.SQRT2) {
    x /= 2
    exponent++
  }
  while (x < Math.SQRT1_2) {
    x *= 2
    exponent--
  }
  // log x = 2 artanh f, |f| ≤ 0.1716, so f²³ / 23 is below 1e-18
  const f = (x - 1) / (x + 1)
  let sum = 0
  for (let n = 21; n >= 1; n -= 2) sum = sum * f * f + 1 / n
  return exponent * Math.LN2 + 2 * f * sum
}
