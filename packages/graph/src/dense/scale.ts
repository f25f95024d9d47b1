/** 1, or the power of two that brings the largest magnitude near 1 when its square would overflow or underflow. */
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
