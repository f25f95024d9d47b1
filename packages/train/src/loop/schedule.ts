/** Linear warm-up, then a cosine. */
export interface Schedule {
  /** Learning rate at the end of the warm-up. */
  readonly peak: number
  /** Learning rate at the end of the cosine. */
  readonly floor: number
  /** Steps of warm-up; 0: none. */
  readonly warmup: number
  /** Step from which the rate stays at the floor. */
  readonly total: number
}

/** Learning rate of step 0, 1, …: peak·(step + 1)/warmup while step < warmup, then
 *   floor + (peak − floor)·(1 + cos(π·progress))/2 with progress = (step − warmup)/(total − warmup), at most
 *   1. Source: Loshchilov and Hutter, SGDR (2017), eq. 5, one cycle. */
export function learningRate(step: number, { peak, floor, warmup, total }: Schedule): number {
  if (step < warmup) return (peak * (step + 1)) / warmup
  const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup))
  return floor + ((peak - floor) * (1 + Math.cos(Math.PI * progress))) / 2
}
