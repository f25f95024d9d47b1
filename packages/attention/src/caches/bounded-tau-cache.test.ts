import { BackendError, cpu, type Device, gpu, grad, type Shape, ShapeError, slice, sum } from '@tau/tensor'
import { describeDevices, expectNear, randomArray } from '@tau/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lambdaAttention } from '../kernels/lambda-attention/lambda-attention.ts'
import { longDecay, splitReadings, uniform } from '../testing/attention-cases.ts'
import { exactAttention, statedBound } from '../testing/bounded-reference.ts'
import { BoundedTauCache } from './bounded-tau-cache.ts'
import type { TauPositions } from './tau-cache.ts'

const [batch, heads, kvHeads, length, valueDim] = [2, 6, 3, 83, 5]
const options = { batch, heads, kvHeads, valueDim, decay: true, bins: 7 }
const temperatures = Float32Array.from({ length: heads }, (_, h) => 0.02 * (h + 1))
const readings = splitReadings(longDecay(batch * heads, length, 1e6))

/** λ of the keys: one value per bin, at different places within the bins. */
const onePerBin = uniform(batch * kvHeads * length, 2).map((x) => {
  const bin = Math.floor(7 * x)
  return (bin + [0.1, 0.5, 0.9][bin % 3]) / 7
})

const make = (device: Device, lambdaK = uniform(batch * kvHeads * length, 2)) => ({
  lambdaQ: device.tensor(uniform(batch * heads * length, 1), [batch, heads, length]),
  lambdaK: device.tensor(lambdaK, [batch, kvHeads, length]),
  v: device.tensor(randomArray(batch * kvHeads * length * valueDim, 3), [batch, kvHeads, length, valueDim]),
  logDecay: {
    high: device.tensor(readings.high, [batch, heads, length]),
    low: device.tensor(readings.low, [batch, heads, length]),
  },
  temperature: device.tensor(temperatures),
})

type Inputs = ReturnType<typeof make>

const part = ({ lambdaQ, lambdaK, v, logDecay }: Inputs, from: number, to: number) => ({
  lambdaQ: slice(lambdaQ, 2, from, to),
  lambdaK: slice(lambdaK, 2, from, to),
  v: slice(v, 2, from, to),
  logDecay: { high: slice(logDecay.high, 2, from, to), low: slice(logDecay.low, 2, from, to) },
})

const CPU = ['cpu plain 1 thread', 'cpu relaxed 2 threads'] as const

describeDevices(
  'BoundedTauCache',
  { cpu, gpu },
  (device) => {
    it('is exact where each bin holds keys of one λ', async () => {
      using _scope = device().scope()
      const inputs = make(device(), onePerBin)
      using cache = new BoundedTauCache(device(), { ...options, temperature: inputs.temperature })
      const found = cache.extend(inputs)
      expect(found.shape).toEqual([batch, heads, length, valueDim])
      expectNear(await found.data(), await lambdaAttention(inputs).data(), { atol: 2e-6 })
    })

    it('reads keys of its own bin as the formula says', async () => {
      using _scope = device().scope()
      const beta = 5
      const keys = [0.375, 0.125, 0.25, 0.75] // only the last one lies in the other bin
      using cache = new BoundedTauCache(device(), {
        ...{ batch: 1, heads: 1, kvHeads: 1, valueDim: 4, decay: false, bins: 2 },
        temperature: device().tensor([1 / beta]),
      })
      cache.append({
        lambdaK: device().tensor(keys, [1, 1, 4]),
        v: device().tensor([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], [1, 1, 4, 4]),
      })
      const weightsAt = async (q: number) => cache.attend({ lambdaQ: device().tensor([q], [1, 1, 1]) }).data()
      const shares = (weights: readonly number[]) => weights.map((w) => w / weights.reduce((a, b) => a + b))
      // q is s = 1/16 above 0.125 and t = 3/16 below 0.375. Keys at these two have weight g; the key between
      // them has the blended weight.
      const [q, s, t] = [0.1875, 1 / 16, 3 / 16]
      const whole = 1 - Math.exp(-2 * beta * (s + t))
      const alpha = (Math.exp(-2 * beta * t) * (1 - Math.exp(-2 * beta * s))) / whole
      const gamma = (Math.exp(-2 * beta * s) * (1 - Math.exp(-2 * beta * t))) / whole
      const mu = 2 / (1 + alpha + gamma)
      const between = alpha * Math.exp(beta / 16) + gamma * Math.exp(-beta / 16)
      expectNear(
        await weightsAt(q),
        shares([
          mu * Math.exp(-beta * t),
          mu * Math.exp(-beta * s),
          mu * between,
          Math.exp(-beta * (0.75 - q)),
        ]),
        { atol: 1e-7 },
      )
      // A query at an end, or outside, reads one of the two sums, which is exact.
      for (const outside of [0.125, 0.375, 0.4375, 0.03125, 0.75])
        expectNear(
          await weightsAt(outside),
          shares(keys.map((k) => Math.exp(-beta * Math.abs(outside - k)))),
          { atol: 1e-7 },
        )
      const least = Math.sqrt(2 / (1 + Math.exp(beta / 2)))
      expectNear(cache.errorBound(), [(1 - least) / (1 + least)], { rtol: 1e-6 })
    })

    it('extend, append and attend, and a fork give the same bits', async () => {
      using _scope = device().scope()
      const inputs = make(device())
      const { temperature } = inputs
      using whole = new BoundedTauCache(device(), { ...options, temperature })
      const expected = whole.extend(inputs)
      using cache = new BoundedTauCache(device(), { ...options, temperature })
      const last = part(inputs, length - 1, length)
      cache.append(part(inputs, 0, 41))
      using fork = cache.fork()
      cache.append(part(inputs, 41, length - 1))
      expect([cache.length, fork.length]).toEqual([length - 1, 41])
      const rest = await fork.extend(part(inputs, 41, length)).data()
      expect(rest).toEqual(await slice(expected, 2, 41, length).data())
      cache.append(last)
      expect(await cache.attend(last).data()).toEqual(await slice(expected, 2, length - 1, length).data())

      cache.truncate(0)
      expect(cache.length).toBe(0)
      expect(await cache.extend(inputs).data()).toEqual(await expected.data())
    })

    it('refuses bad inputs and is unchanged then', async () => {
      using _scope = device().scope()
      const inputs = make(device())
      const [first, second] = [part(inputs, 0, 41), part(inputs, 41, length)]
      using cache = new BoundedTauCache(device(), { ...options, temperature: inputs.temperature })
      const empty = () => cache.attend(part(inputs, 0, 1))
      expect(empty).toThrow('the cache must hold the position of lambdaQ, got 0 positions; append it first')
      cache.append(first)
      using twin = cache.fork()

      const changed = (shape: Shape, index: number, value: number) => {
        const values = new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5)
        values[index] = value
        return device().tensor(values, shape)
      }
      const refused = (
        keys: Partial<TauPositions>,
        message: string,
        type: typeof RangeError | typeof ShapeError,
      ) => {
        for (const name of ['append', 'extend'] as const) {
          const run = () => cache[name]({ ...second, ...keys })
          expect(run).toThrow(type)
          expect(run).toThrow(`BoundedTauCache.${name}: ${message}`)
        }
      }
      const { shape } = second.lambdaK
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -0.125, 1.5])
        refused(
          { lambdaK: changed(shape, 3 * 42 + 2 * 42 + 17, value) },
          `lambdaK must be between 0 and 1, got ${value} at [1, 2, 17]`,
          RangeError,
        )
      for (const value of [Number.NaN, Number.NEGATIVE_INFINITY])
        refused(
          { v: changed(second.v.shape, ((3 + 1) * 42 + 17) * 5 + 4, value) },
          `v must be finite, got ${value} at [1, 1, 17, 4]`,
          RangeError,
        )
      refused({ v: second.lambdaQ }, 'v must be [2, 3, 42, 5], got [2, 6, 42]', ShapeError)
      refused({ logDecay: undefined }, 'logDecay must be given to a cache with decay, got none', ShapeError)
      refused({ logDecay: second.lambdaK }, 'logDecay must be [2, 6, 42], got [2, 3, 42]', ShapeError)
      refused({ logDecay: first.logDecay }, 'logDecay must be [2, 6, 42], got [2, 6, 41]', ShapeError)
      const late = splitReadings(longDecay(batch * heads, 42, 2e6))
      const decayWith = (index: number, value: number) => ({
        high: device().tensor(late.high.with(index, value), [batch, heads, 42]),
        low: device().tensor(late.low.with(index, 0), [batch, heads, 42]),
      })
      refused(
        { logDecay: decayWith(0, 999_999) },
        'logDecay must not decrease, got 999999 after 10000',
        RangeError,
      )
      refused(
        { logDecay: decayWith(6 * 42 + 3, 2e6 - 1) },
        'logDecay must not decrease, got 1999999 after 20000',
        RangeError,
      )
      refused(
        { logDecay: decayWith(43, Number.NaN) },
        'logDecay must be finite, got NaN at [0, 1, 1]',
        RangeError,
      )
      refused(
        { logDecay: decayWith(43, Number.POSITIVE_INFINITY) },
        'logDecay must be finite, got Infinity',
        RangeError,
      )

      const query = changed([batch, heads, 1], 8, 1.5)
      expect(() => cache.attend({ lambdaQ: query })).toThrow(
        'lambdaQ must be between 0 and 1, got 1.5 at [1, 2, 0]',
      )
      expect(() => cache.attend(second)).toThrow('[2, 6, 1], got [2, 6, 42]; use extend for more')
      expect(() => cache.attend({ lambdaQ: second.lambdaK })).toThrow(ShapeError)
      const badQuery = () => cache.extend({ ...second, lambdaQ: changed([batch, heads, 42], 1, -1) })
      expect(badQuery).toThrow('BoundedTauCache.extend: lambdaQ must be between 0 and 1, got -1 at [0, 0, 1]')
      for (const bad of [7, 40])
        expect(() => cache.truncate(bad)).toThrow(
          `length must be 0 or at least 41, because sums cannot forget single positions, got ${bad}; fork the cache before`,
        )
      for (const bad of [42, -1, 1.5, Number.NaN])
        expect(() => cache.truncate(bad)).toThrow(
          `length must be a whole number from 0 to 41, the cached positions, got ${bad}`,
        )
      const recorded = () => {
        cache.append(second)
        return sum(second.v)
      }
      expect(() => grad(recorded, [second.v])).toThrow(
        'BoundedTauCache.append: this operation has no gradient',
      )

      cache.truncate(41)
      expect(cache.length).toBe(41)
      expect(await cache.extend(second).data()).toEqual(await twin.extend(second).data())
    })

    it('refuses sizes, bins and temperatures out of range', () => {
      using _scope = device().scope()
      const before = device().memory.liveBuffers
      const temperature = device().tensor(temperatures)
      const cacheOf = (changes: object) => () =>
        new BoundedTauCache(device(), { ...options, temperature, ...changes })
      for (const bins of [0, 1, 65_537, 2.5, Number.NaN]) {
        expect(cacheOf({ bins })).toThrow(RangeError)
        expect(cacheOf({ bins })).toThrow(`bins must be a whole number from 2 to 65536, got ${bins}`)
      }
      for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        const changes = { temperature: device().tensor(temperatures.with(4, value)) }
        expect(cacheOf(changes)).toThrow(RangeError)
        expect(cacheOf(changes)).toThrow(`temperature must be above 0 and finite, got ${value} at [4]`)
      }
      expect(cacheOf({ temperature: device().tensor([1]) })).toThrow('temperature must be [6], got [1]')
      expect(cacheOf({ kvHeads: 4 })).toThrow('heads must be a multiple of kvHeads, got 6 and 4')
      expect(cacheOf({ valueDim: 0 })).toThrow('valueDim must be a whole number of at least 1, got 0')
      expect(device().memory.liveBuffers).toBe(before + 6)
    })

    it('holds the same bytes at any length, and frees them', () => {
      const before = device().memory
      using _scope = device().scope()
      const cache = (() => {
        using _inner = device().scope()
        const temperature = device().tensor(temperatures)
        return new BoundedTauCache(device(), { ...options, temperature })
      })()
      // 7 bins have 14 sums, then 4 and 2 nodes. A sum has 3 + 5 numbers of 8 bytes.
      const headBytes = 8 * (1 + 7 + (14 + 4 + 2) * 8)
      expect(cache.bytes()).toBe(batch * heads * headBytes + 4 * heads)
      expect(device().memory.liveBytes).toBe(before.liveBytes + cache.bytes())
      {
        using _inner = device().scope()
        const inputs = make(device())
        cache.append(part(inputs, 0, 41))
        cache.extend(part(inputs, 41, length))
        cache.reset()
        cache.append(inputs)
        cache.fork().dispose()
      }
      expect(device().memory.liveBytes).toBe(before.liveBytes + cache.bytes())
      cache.dispose()
      expect(device().memory.liveBuffers).toBe(before.liveBuffers)
    })
  },
  CPU,
)

describe('BoundedTauCache', () => {
  let one: Device
  let two: Device
  beforeAll(async () => {
    one = await cpu({ threads: 1, simd: 'plain' })
    two = await cpu({ threads: 2, simd: 'relaxed' })
  })
  afterAll(() => Promise.all([one.close(), two.close()]))

  it('gives the same bits on one thread and on two, in either build', async () => {
    const outs = [one, two].map((device) => {
      using _scope = device.scope()
      const inputs = make(device)
      using cache = new BoundedTauCache(device, { ...options, bins: 101, temperature: inputs.temperature })
      return cache.extend(inputs).data()
    })
    const [first, second] = await Promise.all(outs)
    expect(first).toEqual(second)
  })

  it('stays within the stated bound, and within rounding where it is 0', async () => {
    const orders = ['uniform', 'sorted', 'reversed', 'equal', 'two clusters', 'ends', 'one bin'] as const
    const decays = ['none', 'still', 'steady', 'leaping'] as const
    const dim = 3
    let tightest = 0
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 211 }),
        fc.double({ min: -4, max: 1, noNaN: true }),
        fc.integer({ min: 2, max: 307 }),
        fc.constantFrom(...orders),
        fc.constantFrom(...decays),
        fc.integer({ min: 0, max: 1e6 }),
        async (T, logTemperature, bins, order, kind, seed) => {
          const raw = uniform(T, seed)
          const arranged = {
            uniform: () => raw,
            sorted: () => raw.toSorted(),
            reversed: () => raw.toSorted().reverse(),
            equal: () => raw.fill(raw[0]),
            'two clusters': () => raw.map((x, i) => 0.2 + 0.5 * (i % 2) + 1e-3 * x),
            ends: () => raw.map((x) => (x < 0.3 ? 0 : x > 0.7 ? 1 : x)),
            'one bin': () => raw.map((x) => (0.999 * x) / bins),
          }
          const keys = Float32Array.from(arranged[order]())
          const queries = Float32Array.from(uniform(T, seed + 1), (x, i) => (i % 3 ? x : keys[i]))
          if (order === 'one bin') for (let i = 0; i < T; i++) queries[i] /= bins
          const steps = uniform(T, seed + 2)
          let now = 0
          const logDecay = Float64Array.from(steps, (x, i) => {
            now += { none: 0, still: 0, steady: 2 * x, leaping: i % 7 === 3 ? 100 : 0 }[kind]
            return now
          })
          const v = Float32Array.from(randomArray(T * dim, seed + 3))
          const beta = 1 / Math.fround(10 ** logTemperature)
          using _scope = one.scope()
          using cache = new BoundedTauCache(one, {
            ...{ batch: 1, heads: 1, kvHeads: 1, valueDim: dim, decay: kind !== 'none', bins },
            temperature: one.tensor([1 / beta]),
          })
          const { high, low } = splitReadings(logDecay)
          const out = await cache
            .extend({
              lambdaK: one.tensor(keys, [1, 1, T]),
              lambdaQ: one.tensor(queries, [1, 1, T]),
              v: one.tensor(v, [1, 1, T, dim]),
              ...(kind === 'none'
                ? {}
                : { logDecay: { high: one.tensor(high, [1, 1, T]), low: one.tensor(low, [1, 1, T]) } }),
            })
            .data()
          const [apriori] = cache.errorBound()
          for (let t = 0; t < T; t++) {
            const found = out.subarray(t * dim, (t + 1) * dim)
            const exact = exactAttention(
              { beta, bins, query: queries[t], keys, logDecay, v, dim, count: t + 1 },
              found,
            )
            const bound = statedBound(beta, bins, exact)
            const error = Math.max(...exact.out.map((x, d) => Math.abs(x - found[d])))
            if (!(error <= bound + 1e-6)) throw new Error(`t ${t}: error ${error} must be at most ${bound}`)
            if (!(error <= apriori * exact.diameter + 1e-6))
              throw new Error(`t ${t}: error ${error}, a priori`)
            if (bound > 1e-3) tightest = Math.max(tightest, error / bound)
          }
        },
      ),
      { numRuns: 250, seed: 7 },
    )
    // The bound is tight: some case comes close to it.
    expect(tightest).toBeGreaterThan(0.5)
  })

  it.for([
    ['warm, without decay', 0.05, 0],
    ['cold, without decay', 1e-4, 0],
    ['warm, decaying', 0.05, 1e-4],
    ['cold, decaying fast', 1e-3, 1],
  ] as const)('stays finite and within the bound over 100 000 tokens: %s', async ([, temperature, decay]) => {
    const [T, chunk, dim, bins] = [100_000, 9_973, 3, 64]
    const keys = Float32Array.from(uniform(T, 11))
    const v = Float32Array.from(randomArray(T * dim, 12), (x, i) => (i % dim === 0 ? 0.1 : x))
    const logDecay = Float64Array.from(keys, (_, t) => decay * t)
    const { high, low } = splitReadings(logDecay)
    const beta = 1 / Math.fround(temperature)
    using _scope = two.scope()
    using cache = new BoundedTauCache(two, {
      ...{ batch: 1, heads: 1, kvHeads: 1, valueDim: dim, decay: true, bins },
      temperature: two.tensor([temperature]),
    })
    const bytes = cache.bytes()
    const { liveBytes } = two.memory
    for (let from = 0; from < T; from += chunk) {
      const to = Math.min(T, from + chunk)
      using _step = two.scope()
      const take = (values: Float32Array, width = 1) => values.subarray(from * width, to * width)
      cache.append({
        lambdaK: two.tensor(take(keys), [1, 1, to - from]),
        v: two.tensor(take(v, dim), [1, 1, to - from, dim]),
        logDecay: {
          high: two.tensor(take(high), [1, 1, to - from]),
          low: two.tensor(take(low), [1, 1, to - from]),
        },
      })
      for (const query of [0, 0.3141, 0.5, keys[to - 1], 1].map(Math.fround)) {
        const found = await cache.attend({ lambdaQ: two.tensor([query], [1, 1, 1]) }).data()
        const exact = exactAttention({ beta, bins, query, keys, logDecay, v, dim, count: to }, found)
        // One channel is always 0.1. Its mean over 100 000 equal terms loses no digits.
        expectNear([found[0]], [Math.fround(0.1)], { rtol: 1e-7 })
        expectNear(found, exact.out, { atol: statedBound(beta, bins, exact) + 1e-6 })
      }
    }
    expect(cache.length).toBe(T)
    expect(cache.bytes()).toBe(bytes)
    expect(two.memory.liveBytes).toBe(liveBytes)
  })

  it('works on the cpu backend only, and with tensors of its own device', async () => {
    const device = await gpu({ mode: 'cpu' })
    const temperature = device.tensor(temperatures)
    const onGpu = () => new BoundedTauCache(device, { ...options, temperature })
    expect(onGpu).toThrow(BackendError)
    expect(onGpu).toThrow('device must use the cpu backend, got gpu; decode on cpu(), or use a TauCache')
    const mixed = () => new BoundedTauCache(one, { ...options, temperature })
    expect(mixed).toThrow(
      "BoundedTauCache: temperature must live on the cache's device, got another gpu device",
    )
    await device.close()
  })
})
