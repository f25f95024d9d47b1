import type { GpuEngine, GpuKernel } from '@tau/tensor/kernel'
import type { ConstantDecayKernel, ForgetGateDecayGradKernel, ForgetGateDecayKernel } from './decay.ts'

// A kernel has one result, so the high parts come first. A second kernel computes the same exact sum and
// subtracts the stored high parts. Numbers of a kernel are f32 in mode webasm and f64 in mode cpu. The error
// terms below are exact in both; in f64 they are 0.

/** previous + Σ_{s ≤ t} steps as sum + rest, where Knuth's TwoSum adds each step. It costs O(t) per reading,
 *  which is little beside attention. */
const sumSteps = (name: string, result: string, buffers: readonly string[] = []): GpuKernel => ({
  name,
  args: {
    ...Object.fromEntries(
      ['steps', 'previous', 'previousLow', ...buffers].map((buffer) => [buffer, 'buffer']),
    ),
    length: 'int',
  },
  body: `
    let sum = previous[this.thread.y]
    let rest = previousLow[this.thread.y]
    for (let s = 0; s < length; s++) {
      if (s > this.thread.x) { break }
      const step = steps[this.thread.y * length + (s | 0)]
      const next = sum + step
      const back = next - sum
      rest += (sum - (next - back)) + (step - back)
      sum = next + rest
      rest = rest - (sum - next)
    }
    return ${result}`,
})
const HIGH = sumSteps('forgetGateDecayHigh', 'sum')
const LOW = sumSteps('forgetGateDecayLow', '(sum - high[this.thread.y * length + this.thread.x]) + rest', [
  'high',
])

const REVERSE: GpuKernel = {
  name: 'forgetGateDecayGrad',
  args: { dLogDecay: 'buffer', length: 'int' },
  body: `
    let sum = 0.0
    let rest = 0.0
    for (let t = 0; t < length; t++) {
      if (t >= this.thread.x) {
        const step = dLogDecay[this.thread.y * length + (t | 0)]
        const next = sum + step
        const back = next - sum
        rest += (sum - (next - back)) + (step - back)
        sum = next
      }
    }
    return sum + rest`,
}

export function forgetGateDecayGpu(engine: GpuEngine): ForgetGateDecayKernel {
  const highOf = engine.kernel(HIGH)
  const lowOf = engine.kernel(LOW)
  return ({ steps, previous, previousLow }, high, low, rows, length) => {
    highOf([steps, previous, previousLow, length], [length, rows], high)
    lowOf([steps, previous, previousLow, high, length], [length, rows], low)
  }
}

export function forgetGateDecayGradGpu(engine: GpuEngine): ForgetGateDecayGradKernel {
  const launch = engine.kernel(REVERSE)
  return (dLogDecay, dSteps, rows, length) => launch([dLogDecay, length], [length, rows], dSteps)
}

const STEADY_HIGH: GpuKernel = {
  name: 'constantDecayHigh',
  args: { rates: 'buffer', start: 'int' },
  body: `
    return rates[this.thread.y] * (start + this.thread.x)`,
}

/** The rounding error of the product, by Dekker's method with halves of 12 bits. */
const STEADY_LOW: GpuKernel = {
  name: 'constantDecayLow',
  args: { rates: 'buffer', high: 'buffer', start: 'int', length: 'int' },
  body: `
    const rate = rates[this.thread.y]
    let time = 0.0
    time += start + this.thread.x
    const wideRate = 4097.0 * rate
    const rateHigh = wideRate - (wideRate - rate)
    const rateLow = rate - rateHigh
    const wideTime = 4097.0 * time
    const timeHigh = wideTime - (wideTime - time)
    const timeLow = time - timeHigh
    const left = rateHigh * timeHigh - high[this.thread.y * length + this.thread.x]
    return ((left + rateHigh * timeLow) + rateLow * timeHigh) + rateLow * timeLow`,
}

export function constantDecayGpu(engine: GpuEngine): ConstantDecayKernel {
  const highOf = engine.kernel(STEADY_HIGH)
  const lowOf = engine.kernel(STEADY_LOW)
  return (rates, high, low, rows, length, start) => {
    highOf([rates, start], [length, rows], high)
    lowOf([rates, high, start, length], [length, rows], low)
  }
}
