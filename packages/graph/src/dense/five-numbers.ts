import { checkNumbers } from '../errors.ts'
/** Minimum, quartiles and maximum. Quantiles between two order statistics are interpolated linearly. */
export interface FiveNumbers {
  min: number
  q25: number
  median: number
  q75: number
  max: number
}

/** The FiveNumbers of the values. All are NaN if there are no values. */
export const fiveNumbers = (values: ArrayLike<number>): FiveNumbers => {
  checkNumbers('fiveNumbers', 'values', values)
  const sorted = Float64Array.from(values).sort()
  return {
    min: quantile(sorted, 0),
    q25: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    q75: quantile(sorted, 0.75),
    max: quantile(sorted, 1),
  }
}

/** Quantile q in [0, 1] of ascending values, interpolated linearly. */
const quantile = (sorted: Float64Array, q: number): number => {
  if (sorted.length === 0) return Number.NaN
  const position = (sorted.length - 1) * q
  const below = Math.floor(position)
  const above = Math.ceil(position)
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below)
}
