import { cpu, gpu } from '@tau/tensor'
import { checkGradients, describeDevices, expectNear, randomArray } from '@tau/testing'
import { expect, it } from 'vitest'
import { splitReadings } from '../../testing/attention-cases.ts'
import { outAndGrads } from '../../testing/tensors.ts'
import { constantDecay, forgetGateDecay, type LogDecay } from './decay.ts'
import { forgetGateDecayReference } from './reference.ts'

/** high + low in f64. */
async function readingsOf({ high, low }: LogDecay): Promise<Float64Array> {
  const [rounded, left] = await Promise.all([high.data(), low.data()])
  return Float64Array.from(rounded, (c, i) => c + left[i])
}

describeDevices('decays', { cpu, gpu }, (device) => {
  it('constant: reads γ·(start + t)', async () => {
    using _scope = device().scope()
    const rate = device().tensor([0.5, 0, 2])
    const { high, low } = constantDecay(rate, 4, 3)
    expect([high.shape, low.shape]).toEqual([
      [3, 4],
      [3, 4],
    ])
    expect(Array.from(await high.data())).toEqual([1.5, 2, 2.5, 3, 0, 0, 0, 0, 6, 8, 10, 12])
    expect(Array.from(await low.data(), Math.abs)).toEqual(new Array(12).fill(0))
    const { grads } = await outAndGrads(
      { rate },
      device().tensor(new Float32Array(12).fill(1), [3, 4]),
      () => constantDecay(rate, 4, 3).high,
    )
    expect(Array.from(grads.rate)).toEqual([18, 18, 18]) // 3 + 4 + 5 + 6
    expect(() => constantDecay(high, 4)).toThrow('constantDecay: rate must be [H], got [3, 4]')
    expect(() => constantDecay(rate, 4, -1)).toThrow(
      'constantDecay: start must be a whole number of at least 0, got -1',
    )
    expect(() => constantDecay(rate, 7, 2 ** 24 - 6)).toThrow(
      'constantDecay: start + length must be at most 16777216, got 16777210 + 7',
    )
  })

  it('constant: is exact to the last bit at any time', async () => {
    using _scope = device().scope()
    const rates = Float32Array.from([0.1, 1 / 3, 7.77, 1e-6, 12345.678, 0])
    for (const start of [0, 999, 1_000_003, 16_777_143]) {
      const length = 67
      const logDecay = constantDecay(device().tensor(rates), length, start)
      const high = await logDecay.high.data()
      const expected = Float64Array.from(
        { length: rates.length * length },
        (_, i) => rates[Math.floor(i / length)] * (start + (i % length)),
      )
      expect(high).toEqual(Float32Array.from(expected))
      expect(await readingsOf(logDecay)).toEqual(expected)
    }
  })

  it('forget gate: is minus the running sum of log σ, never decreases, and has gradients', async () => {
    const [batch, heads, length] = [2, 3, 7]
    const shape = [batch, heads, length]
    const reference = (logits: Float64Array, previous: Float64Array) =>
      forgetGateDecayReference(logits, previous, length)
    await checkGradients({
      inputs: [randomArray(42, 1).map((x) => 3 * x), randomArray(6, 2).map(Math.abs)],
      reference,
      gradients: async ([x, y], weights) => {
        using _scope = device().scope()
        const logits = device().tensor(x, shape)
        const previous = device().tensor(y, [batch, heads, 1])
        const { out, grads } = await outAndGrads(
          { logits, previous },
          device().tensor(weights, shape),
          () => forgetGateDecay(logits, previous).high,
        )
        expectNear(out, reference(Float64Array.from(x), Float64Array.from(y)), { rtol: 1e-6 })
        for (let i = 1; i < out.length; i++)
          if (i % length !== 0) expect(out[i]).toBeGreaterThanOrEqual(out[i - 1])
        return [grads.logits, grads.previous]
      },
      tolerance: { atol: 3e-6 },
    })
  })

  it('forget gate: steps of 0.01 to 1 are as exact after a million as at the start', async () => {
    using _scope = device().scope()
    const [heads, length] = [2, 521]
    const logits = Float32Array.from(randomArray(heads * length, 5), (x) => 2 - 4 * (Math.abs(x) % 1))
    const before = Float64Array.from([1e6 + 0.0123, 0])
    const { high, low } = splitReadings(before)
    const shape = [1, heads, length]
    const part = (values: Float32Array) => device().tensor(values, [1, heads, 1])
    const logDecay = forgetGateDecay(device().tensor(logits, shape), { high: part(high), low: part(low) })
    const found = await readingsOf(logDecay)
    const exact = forgetGateDecayReference(Float64Array.from(logits), before, length)
    // 521 steps of up to 2.2, each with a relative error of 1e-7. The bound is the same at 10⁶, where the
    // last place of an f32 is 0.06.
    expectNear(found, exact, { atol: 5e-5 })
    expect(await logDecay.high.data()).toEqual(Float32Array.from(found))
    expect(Math.max(...(await logDecay.low.data()).map(Math.abs))).toBeGreaterThan(0.01)
  })

  it('forget gate: a second part continues the first from its last reading', async () => {
    using _scope = device().scope()
    const values = Float32Array.from(randomArray(11, 3))
    const whole = forgetGateDecay(device().tensor(values, [1, 1, 11]))
    const [high, low] = await Promise.all([whole.high.data(), whole.low.data()])
    const last = (part: Float32Array) => device().tensor(part.slice(3, 4), [1, 1, 1])
    const logits = device().tensor(values.slice(4), [1, 1, 7])
    const rest = forgetGateDecay(logits, { high: last(high), low: last(low) })
    expectNear(await readingsOf(rest), (await readingsOf(whole)).subarray(4), { rtol: 1e-13 })
    const rounded = forgetGateDecay(logits, last(high))
    expectNear(await rounded.high.data(), high.subarray(4), { rtol: 1e-6 })
    expect(() => forgetGateDecay(last(high), rest)).toThrow(
      'forgetGateDecay: previous must be [B, H, 1] = [1, 1, 1], got [1, 1, 7]',
    )
    expect(() => forgetGateDecay(device().tensor(values, [11]))).toThrow(
      'forgetGateDecay: logits must be [B, H, T], got [11]',
    )
    const short = { high: last(high), low: rest.low }
    expect(() => forgetGateDecay(logits, short)).toThrow(
      'previous must be [B, H, 1] = [1, 1, 1], got [1, 1, 7]',
    )
  })
})
