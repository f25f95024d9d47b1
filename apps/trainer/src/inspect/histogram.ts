const MOST_BINS = 60
const FEWEST_BINS = 8

export interface Histogram {
  /** Left edge of the first bin. */
  readonly from: number
  readonly width: number
  /** Number of values in each bin. The last bin includes its right edge. */
  readonly counts: readonly number[]
}

/** Counts finite values in bins of equal width. The width is 2·(q75 − q25)/∛n (Freedman and Diaconis, 1981),
 *  adjusted to give 8 to 60 bins. For whole numbers the width is whole, and there may be fewer bins. If all
 *  values are equal there is one bin. Undefined if no value is finite. */
export function histogram(values: ArrayLike<number>): Histogram | undefined {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort()
  if (sorted.length === 0) return undefined
  const [low, high] = [sorted[0], sorted[sorted.length - 1]]
  if (low === high) return { from: low - 0.5, width: 1, counts: [sorted.length] }
  const spread =
    sorted[Math.floor(0.75 * (sorted.length - 1))] - sorted[Math.floor(0.25 * (sorted.length - 1))]
  const width = (2 * spread) / Math.cbrt(sorted.length)
  if (sorted.every(Number.isInteger)) {
    const whole = Math.max(1, Math.round(width), Math.ceil((high - low + 1) / MOST_BINS))
    return counted(sorted, low - 0.5, whole, Math.ceil((high - low + 1) / whole))
  }
  const wanted = width > 0 ? Math.ceil((high - low) / width) : MOST_BINS
  const bins = Math.min(MOST_BINS, Math.max(FEWEST_BINS, wanted))
  return counted(sorted, low, (high - low) / bins, bins)
}

function counted(values: Float64Array, from: number, width: number, bins: number): Histogram {
  const counts = new Array<number>(bins).fill(0)
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value - from) / width))]++
  return { from, width, counts }
}
