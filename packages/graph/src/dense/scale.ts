/** A factor for the data: 1, unless the square of the largest magnitude would overflow or underflow. Then it
 *  is the power of two that brings the largest magnitude near 1. */
export const safeScale = (data: ArrayLike<number>, start: number, end: number): number => {
  const largest = largestMagnitude(data, start, end)
  if (largest === 0 || !Number.isFinite(largest) || (largest > 1e-120 && largest < 1e120)) return 1
  return 2 ** -Math.max(-1022, Math.min(1022, Math.floor(Math.log2(largest))))
}

/** The largest |x| of data [start, end). */
export const largestMagnitude = (data: ArrayLike<number>, start = 0, end = data.length): number => {
  let largest = 0
  for (let n = start; n < end; n++) {
    const magnitude = Math.abs(data[n])
    if (magnitude > largest) largest = magnitude
  }
  return largest
}
