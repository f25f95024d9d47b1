import { cpu, gpu } from '@tau/tensor'
import { checkGradients, describeDevices, expectNear, randomArray } from '@tau/testing'
import { expect, it } from 'vitest'
import { forgetClock, steadyClock } from './clock.ts'
import { outAndGrads } from './testing/fixtures.ts'

describeDevices('clocks', { cpu, gpu }, (device) => {
  it('steady: reads γ·(start + t)', async () => {
    using _scope = device().scope()
    const gamma = device().tensor([0.5, 0, 2])
    const clock = steadyClock(gamma, 4, 3)
    expect(clock.shape).toEqual([3, 4])
    expect(Array.from(await clock.data())).toEqual([1.5, 2, 2.5, 3, 0, 0, 0, 0, 6, 8, 10, 12])
    const { grads } = await outAndGrads(
      { gamma },
      device().tensor(new Float32Array(12).fill(1), [3, 4]),
      () => steadyClock(gamma, 4, 3),
    )
    expect(Array.from(grads.gamma)).toEqual([18, 18, 18]) // 3 + 4 + 5 + 6
    expect(() => steadyClock(clock, 4)).toThrow('steadyClock: gamma must be [H], got [3, 4]')
    expect(() => steadyClock(gamma, 4, -1)).toThrow(
      'steadyClock: start must be a whole number of at least 0, got -1',
    )
  })

  it('forget: minus the running sum of log σ, never backward, with gradients', async () => {
    const [batch, heads, length] = [2, 3, 7]
    const reference = (logits: Float64Array, previous: Float64Array) => {
      const out = new Float64Array(logits.length)
      for (let i = 0; i < out.length; i++) {
        const before = i % length === 0 ? previous[i / length] : out[i - 1]
        out[i] = before + Math.log1p(Math.exp(-logits[i]))
      }
      return out
    }
    const shape = [batch, heads, length]
    await checkGradients({
      inputs: [randomArray(42, 1).map((x) => 3 * x), randomArray(6, 2).map(Math.abs)],
      reference,
      gradients: async ([x, y], weights) => {
        using _scope = device().scope()
        const logits = device().tensor(x, shape)
        const previous = device().tensor(y, [batch, heads, 1])
        const { out, grads } = await outAndGrads({ logits, previous }, device().tensor(weights, shape), () =>
          forgetClock(logits, previous),
        )
        expectNear(out, reference(Float64Array.from(x), Float64Array.from(y)), { rtol: 1e-6 })
        for (let i = 1; i < out.length; i++)
          if (i % length !== 0) expect(out[i]).toBeGreaterThanOrEqual(out[i - 1])
        return [grads.logits, grads.previous]
      },
      tolerance: { atol: 3e-6 },
    })
  })

  it('forget: a second part continues the first from its last reading', async () => {
    using _scope = device().scope()
    const values = Float32Array.from(randomArray(11, 3))
    const whole = await forgetClock(device().tensor(values, [1, 1, 11])).data()
    const rest = forgetClock(
      device().tensor(values.subarray(4), [1, 1, 7]),
      device().tensor(whole.slice(3, 4), [1, 1, 1]),
    )
    expectNear(await rest.data(), whole.subarray(4), { rtol: 1e-6 })
    expect(() => forgetClock(device().tensor([1]))).toThrow('forgetClock: logits must be [B, H, T], got [1]')
    expect(() => forgetClock(rest, rest)).toThrow(
      'forgetClock: previous must be [B, H, 1] = [1, 1, 1], got [1, 1, 7]',
    )
  })
})
