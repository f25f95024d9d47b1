// Decay readings are pairs high + low of f32. low is what rounding to f32 leaves over.

/** high + low = previous + previousLow + Σ_{s ≤ t} steps[row, s] for rows begin … end−1. The sum runs in
 *  f64. */
export function forgetGateDecay(
  steps: usize,
  previous: usize,
  previousLow: usize,
  high: usize,
  low: usize,
  length: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>length) << 2
  for (let row = <usize>begin; row < <usize>end; row++) {
    let at = row * bytes
    const stop = at + bytes
    let sum = <f64>load<f32>(previous + (row << 2)) + <f64>load<f32>(previousLow + (row << 2))
    for (; at < stop; at += 4) {
      sum += <f64>load<f32>(steps + at)
      const rounded = <f32>sum
      store<f32>(high + at, rounded)
      store<f32>(low + at, <f32>(sum - <f64>rounded))
    }
  }
}

/** dSteps[row, s] = Σ_{t ≥ s} dLogDecay[row, t]. The sum runs in f64. */
export function forgetGateDecayGrad(dLogDecay: usize, dSteps: usize, length: i32, begin: i32, end: i32): void {
  const bytes = (<usize>length) << 2
  for (let row = <usize>begin; row < <usize>end; row++) {
    let sum: f64 = 0
    for (let at = (row + 1) * bytes; at > row * bytes; ) {
      at -= 4
      sum += <f64>load<f32>(dLogDecay + at)
      store<f32>(dSteps + at, <f32>sum)
    }
  }
}

/** high + low = gamma[row]·(start + t) for rows begin … end−1. It is exact, because f64 holds the product of
 *  two numbers of 24 bits. */
export function constantDecay(
  gamma: usize,
  high: usize,
  low: usize,
  length: i32,
  start: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>length) << 2
  for (let row = <usize>begin; row < <usize>end; row++) {
    const rate = <f64>load<f32>(gamma + (row << 2))
    for (let t = 0; t < length; t++) {
      const at = row * bytes + ((<usize>t) << 2)
      const reading = rate * <f64>(start + t)
      const rounded = <f32>reading
      store<f32>(high + at, rounded)
      store<f32>(low + at, <f32>(reading - <f64>rounded))
    }
  }
}
