import type { GpuEngine, GpuKernel } from '@tau/tensor'
import type { ForgetClockGradKernel, ForgetClockKernel, SteadyClockKernel } from './clock.ts'

// A kernel gives one result: the high parts come first, and the low parts are what the same exact sum leaves over of them as they
// were stored. Numbers of a kernel are f32 in mode webasm and f64 in mode cpu; the error terms below are exact in both (0 in f64).

/** previous + Σ_{s ≤ t} steps as sum + rest, each step added by Knuth's TwoSum. O(t) per reading, little beside attention. */
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
const HIGH = sumSteps('forgetClockHigh', 'sum')
const LOW = sumSteps('forgetClockLow', '(sum - high[this.thread.y * length + this.thread.x]) + rest', [
  'high',
])

const REVERSE: GpuKernel = {
  name: 'forgetClockGrad',
  args: { dClock: 'buffer', length: 'int' },
  body: `
    let sum = 0.0
    let rest = 0.0
    for (let t = 0; t < length; t++) {
      if (t >= this.thread.x) {
        const step = dClock[this.thread.y * length + (t | 0)]
        const next = sum + step
        const back = next - sum
        rest += (sum - (next - back)) + (step - back)
        sum = next
      }
    }
    return sum + rest`,
}

export function forgetClockGpu(engine: GpuEngine): ForgetClockKernel {
  const highOf = engine.kernel(HIGH)
  const lowOf = engine.kernel(LOW)
  return ({ steps, previous, previousLow }, high, low, rows, length) => {
    highOf([steps, previous, previousLow, length], [length, rows], high)
    lowOf([steps, previous, previousLow, high, length], [length, rows], low)
  }
}

export function forgetClockGradGpu(engine: GpuEngine): ForgetClockGradKernel {
  const launch = engine.kernel(REVERSE)
  return (dClock, dSteps, rows, length) => launch([dClock, length], [length, rows], dSteps)
}

const STEADY_HIGH: GpuKernel = {
  name: 'steadyClockHigh',
  args: { gamma: 'buffer', start: 'int' },
  body: `
    return gamma[this.thread.y] * (start + this.thread.x)`,
}

/** What rounding left of the product: Dekker's, from halves of 12 bits. */
const STEADY_LOW: GpuKernel = {
  name: 'steadyClockLow',
  args: { gamma: 'buffer', high: 'buffer', start: 'int', length: 'int' },
  body: `
    const rate = gamma[this.thread.y]
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

export function steadyClockGpu(engine: GpuEngine): SteadyClockKernel {
  const highOf = engine.kernel(STEADY_HIGH)
  const lowOf = engine.kernel(STEADY_LOW)
  return (gamma, high, low, rows, length, start) => {
    highOf([gamma, start], [length, rows], high)
    lowOf([gamma, high, start, length], [length, rows], low)
  }
}
