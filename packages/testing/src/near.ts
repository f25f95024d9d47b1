/** Bounds of |found − expected|: atol + rtol·|expected|. */
export interface Tolerance {
  readonly atol?: number
  readonly rtol?: number
}

/** Throws unless every element is near its expected value. The message has the largest and the mean error,
 *  and the place of the worst one. NaN is near only NaN, and an infinity is near only itself. */
export function expectNear(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
): void {
  const { atol = 0, rtol = 0 } = tolerance
  if (found.length !== expected.length)
    throw new Error(`expectNear: lengths must be equal, got ${found.length} and ${expected.length}`)
  let worst = -1
  let worstExcess = 0
  let largest = 0
  let total = 0
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i]) || found[i] === expected[i]) continue
    const error = Math.abs(found[i] - expected[i])
    const excess =
      Number.isNaN(error) || error === Number.POSITIVE_INFINITY
        ? Infinity
        : error / (atol + rtol * Math.abs(expected[i]))
    if (excess > 1 && excess > worstExcess) {
      worst = i
      worstExcess = excess
    }
    largest = Math.max(largest, error)
    total += error
  }
  if (worst >= 0)
    throw new Error(
      `expectNear: element ${worst} must be ${expected[worst]} within ${atol} + ${rtol}·|expected|, got ${found[worst]}; ` +
        `largest error ${largest}, mean error ${total / expected.length} over ${expected.length} elements`,
    )
}
