import { cpu, type Device, gpu, grad, slice, sum, type Tensor } from '@tau/tensor'
import { describeDevices, expectNear, expectOracle, itMatchesOracle, randomArray } from '@tau/testing'
import type { OracleArray } from '@tau/testing/oracle'
import { describe, expect, it } from 'vitest'
import type { LogDecay } from '../kernels/decay/decay.ts'
import { dotAttention } from '../kernels/dot-attention/dot-attention.ts'
import { lambdaAttention } from '../kernels/lambda-attention/lambda-attention.ts'
import { longDecay, splitReadings, uniform } from '../testing/attention-cases.ts'
import { tensorOf } from '../testing/tensors.ts'
import type { DecodeCache } from './decode-cache.ts'
import { KvCache } from './kv-cache.ts'
import { TauCache } from './tau-cache.ts'

const [batch, heads, kvHeads, length, valueDim, keyDim] = [2, 6, 3, 83, 5, 7]
/** A prefill, single steps and chunks. The capacity grows to 8, 16, 33, 66 and 132 on the way. */
const STEPS = [11, 1, 1, 1, 19, 1, 49]

/** Readings around 10⁶, where f32 has an error of 0.03. */
const readings = splitReadings(longDecay(batch * heads, length, 1e6))

const make = (device: Device) => ({
  lambdaQ: device.tensor(uniform(batch * heads * length, 1), [batch, heads, length]),
  lambdaK: device.tensor(uniform(batch * kvHeads * length, 2), [batch, kvHeads, length]),
  v: device.tensor(randomArray(batch * kvHeads * length * valueDim, 3), [batch, kvHeads, length, valueDim]),
  q: device.tensor(randomArray(batch * heads * length * keyDim, 4), [batch, heads, length, keyDim]),
  k: device.tensor(randomArray(batch * kvHeads * length * keyDim, 5), [batch, kvHeads, length, keyDim]),
  logDecay: {
    high: device.tensor(readings.high, [batch, heads, length]),
    low: device.tensor(readings.low, [batch, heads, length]),
  },
  temperature: device.tensor(Float32Array.from({ length: heads }, (_, h) => 0.02 * (h + 1))),
})

const sliceDecay = ({ high, low }: LogDecay, from: number, to: number): LogDecay => ({
  high: slice(high, 2, from, to),
  low: slice(low, 2, from, to),
})

interface Tried<Cache> extends Disposable {
  readonly cache: Cache
  /** Extends the cache with the positions [from, to) and compares the result with the full pass. */
  go(from: number, to: number): Promise<void>
  fork(): Tried<Cache>
}

type Forking<Cache> = Omit<DecodeCache<never>, 'extend' | 'fork'> & { fork(): Cache }

function tried<Cache extends Forking<Cache>>(
  cache: Cache,
  full: Tensor,
  extend: (cache: Cache, from: number, to: number) => Tensor,
): Tried<Cache> {
  return {
    cache,
    async go(from, to) {
      expect(cache.length).toBe(from)
      expectNear(await extend(cache, from, to).data(), await slice(full, 2, from, to).data(), { atol: 1e-6 })
    },
    fork: () => tried(cache.fork(), full, extend),
    [Symbol.dispose]: () => cache.dispose(),
  }
}

const options = { batch, heads, kvHeads, valueDim, capacity: 8 }

describeDevices('caches', { cpu, gpu }, (device) => {
  it.for([true, false])('TauCache: step by step equals the full pass, with decay: %s', async (withDecay) => {
    using _scope = device().scope()
    const { lambdaQ, lambdaK, v, logDecay, temperature } = make(device())
    const full = lambdaAttention({
      lambdaQ,
      lambdaK,
      v,
      temperature,
      logDecay: withDecay ? logDecay : undefined,
    })
    using cache = new TauCache(device(), { ...options, decay: withDecay, temperature })
    let start = 0
    for (const count of STEPS) {
      using _step = device().scope()
      const [from, to] = [start, start + count]
      cache.append({
        lambdaK: slice(lambdaK, 2, from, to),
        v: slice(v, 2, from, to),
        logDecay: withDecay ? sliceDecay(logDecay, from, to) : undefined,
      })
      const found = cache.attend({ lambdaQ: slice(lambdaQ, 2, from, to) })
      expect(found.shape).toEqual([batch, heads, count, valueDim])
      // The blocks of queries differ, but the sums over keys are the same. So results are equal up to
      // rounding of the build.
      expectNear(await found.data(), await slice(full, 2, from, to).data(), { atol: 1e-6 })
      start = to
    }
    expect(cache.length).toBe(length)
    expect(await cache.lambdaK().data()).toEqual(await lambdaK.data())
  })

  it.for([true, false])('KvCache: step by step equals the full pass, with decay: %s', async (withDecay) => {
    using _scope = device().scope()
    const { q, k, v, logDecay } = make(device())
    const full = dotAttention({ q, k, v, logDecay: withDecay ? logDecay : undefined })
    using cache = new KvCache(device(), { ...options, keyDim, decay: withDecay })
    let start = 0
    for (const count of STEPS) {
      using _step = device().scope()
      const [from, to] = [start, start + count]
      cache.append({
        k: slice(k, 2, from, to),
        v: slice(v, 2, from, to),
        logDecay: withDecay ? sliceDecay(logDecay, from, to) : undefined,
      })
      const found = cache.attend({ q: slice(q, 2, from, to) })
      expectNear(await found.data(), await slice(full, 2, from, to).data(), { atol: 1e-6 })
      start = to
    }
    expect(await cache.k().data()).toEqual(await k.data())
  })

  it.for([11, 83, 1000])(
    'KvCache: within a window of %i, step by step equals the full pass',
    async (window) => {
      using _scope = device().scope()
      const { q, k, v, logDecay } = make(device())
      const full = dotAttention({ q, k, v, logDecay, window })
      using cache = new KvCache(device(), { ...options, keyDim, decay: true, window })
      let start = 0
      for (const count of STEPS) {
        using _step = device().scope()
        const [from, to] = [start, start + count]
        const found = cache.extend({
          q: slice(q, 2, from, to),
          k: slice(k, 2, from, to),
          v: slice(v, 2, from, to),
          logDecay: sliceDecay(logDecay, from, to),
        })
        expectNear(await found.data(), await slice(full, 2, from, to).data(), { atol: 1e-6 })
        start = to
      }
      expect(cache.length).toBe(length)
    },
  )

  it('KvCache: a window keeps less than three times its positions, and reports the least length', () => {
    using _scope = device().scope()
    using cache = new KvCache(device(), { ...options, batch: 1, decay: false, window: 5 })
    const one = device().empty([1, kvHeads, 1, valueDim])
    const q = device().empty([1, heads, 1, valueDim])
    const most = 2 * 3 * 5 * kvHeads * valueDim * 4
    for (let t = 0; t < 40; t++) {
      using _step = device().scope()
      cache.extend({ q, k: one, v: one })
      if (t > 20) expect(cache.bytes()).toBeLessThanOrEqual(most)
    }
    expect(cache.length).toBe(40)
    expect(cache.minLength).toBeGreaterThan(30)
    expect(() => cache.truncate(12)).toThrow(
      `KvCache.truncate: length must be 0 or at least ${cache.minLength}, because a window has left older positions behind, got 12`,
    )
    cache.truncate(cache.minLength)
    cache.reset()
    expect([cache.length, cache.minLength]).toEqual([0, 0])
  })

  describe.each(['KvCache', 'KvCache with a window', 'TauCache'])('%s', (kind) => {
    /** A cache, the full pass, and the inputs of a cache for the positions [from, to). */
    const subject = () => {
      const { lambdaQ, lambdaK, v, q, k, logDecay, temperature } = make(device())
      const part = (x: Tensor, from: number, to: number) => slice(x, 2, from, to)
      const decayOf = (from: number, to: number) => sliceDecay(logDecay, from, to)
      if (kind === 'TauCache') {
        const cache = new TauCache(device(), { ...options, decay: true, temperature })
        const full = lambdaAttention({ lambdaQ, lambdaK, v, temperature, logDecay })
        const extend = (to: TauCache, from: number, end: number) =>
          to.extend({
            ...{
              lambdaQ: part(lambdaQ, from, end),
              lambdaK: part(lambdaK, from, end),
              v: part(v, from, end),
            },
            logDecay: decayOf(from, end),
          })
        return tried(cache, full, extend)
      }
      const window = kind === 'KvCache' ? undefined : 29
      const cache = new KvCache(device(), { ...options, keyDim, decay: true, ...(window && { window }) })
      const full = dotAttention({ q, k, v, logDecay, window })
      const extend = (to: KvCache, from: number, end: number) =>
        to.extend({
          ...{ q: part(q, from, end), k: part(k, from, end), v: part(v, from, end) },
          logDecay: decayOf(from, end),
        })
      return tried(cache, full, extend)
    }

    it('equals the full pass after truncate, fork and reset', async () => {
      const before = device().memory.liveBuffers
      {
        using _scope = device().scope()
        const { cache, go, fork } = subject()
        using _cache = cache
        await go(0, 61)
        cache.truncate(51)
        expect(cache.length).toBe(51)
        await go(51, 58)
        using other = fork()
        await go(58, 83)
        expect(other.cache.length).toBe(58)
        await other.go(58, 71)
        other.cache.truncate(60)
        await other.go(60, 83)
        cache.truncate(0)
        expect(cache.length).toBe(0)
        await go(0, 7)
        cache.reset()
        await go(0, 83)
        expect(other.cache.length).toBe(83)
        for (const wrong of [-1, 1.5, 84])
          expect(() => cache.truncate(wrong)).toThrow(`must be a whole number from 0 to 83`)
      }
      expect(device().memory.liveBuffers).toBe(before)
    })
  })

  it('take a single tensor of readings, as exact as f32', async () => {
    using _scope = device().scope()
    const { lambdaQ, lambdaK, v, logDecay, temperature } = make(device())
    using cache = new TauCache(device(), { ...options, decay: true, temperature })
    cache.append({ lambdaK, v, logDecay: logDecay.high })
    const found = await cache.attend({ lambdaQ }).data()
    const full = await lambdaAttention({ lambdaQ, lambdaK, v, temperature, logDecay: logDecay.high }).data()
    expectNear(found, full, { atol: 1e-6 })
  })

  itMatchesOracle<
    Record<'lambda_q' | 'lambda_k' | 'v' | 'temperature' | 'gamma' | 'prefix_lengths', OracleArray>,
    { out: OracleArray }
  >(
    'decode',
    async ({ inputs, expected, tolerance }) => {
      using _scope = device().scope()
      const lambdaQ = tensorOf(device(), inputs.lambda_q, 1)
      const lambdaK = tensorOf(device(), inputs.lambda_k, 1)
      const v = tensorOf(device(), inputs.v, 1)
      const temperature = tensorOf(device(), inputs.temperature)
      const [h, total] = lambdaQ.shape.slice(1)
      const [, kv, , dim] = v.shape
      using cache = new TauCache(device(), {
        batch: 1,
        heads: h,
        kvHeads: kv,
        valueDim: dim,
        decay: true,
        temperature,
      })
      const newest: number[] = []
      for (const prefix of inputs.prefix_lengths.data) {
        const [from, to] = [cache.length, prefix]
        const readings = inputs.gamma.data.flatMap((gamma) =>
          Array.from({ length: to - from }, (_, t) => gamma * (from + t)),
        )
        cache.append({
          lambdaK: slice(lambdaK, 2, from, to),
          v: slice(v, 2, from, to),
          logDecay: device().tensor(readings, [1, h, to - from]),
        })
        newest.push(...(await cache.attend({ lambdaQ: slice(lambdaQ, 2, to - 1, to) }).data()))
      }
      expect(cache.length).toBeLessThanOrEqual(total)
      expectOracle({ out: newest }, expected, tolerance)
    },
    (name) => name.startsWith('attention'),
  )

  it('outlive scopes, keep their memory when reset, and free all of it', () => {
    const before = device().memory.liveBuffers
    const caches = (() => {
      using _scope = device().scope()
      return [
        new TauCache(device(), { ...options, decay: true, temperature: make(device()).temperature }),
        new KvCache(device(), { ...options, decay: false }),
      ] as const
    })()
    {
      using _scope = device().scope()
      const { lambdaK, v, logDecay } = make(device())
      caches[0].append({ lambdaK, v, logDecay })
      caches[0].reset()
      expect(caches[0].length).toBe(0)
      const bytes = caches[0].bytes()
      caches[0].append({ lambdaK, v, logDecay })
      caches[0].reset()
      expect(caches[0].bytes()).toBe(bytes)
    }
    for (const cache of caches) cache.dispose()
    expect(device().memory.liveBuffers).toBe(before)
  })

  it('refuse bad inputs and quote the values', () => {
    using _scope = device().scope()
    const { lambdaQ, lambdaK, v, logDecay, temperature, q } = make(device())
    using cache = new TauCache(device(), { ...options, decay: true, temperature })
    expect(() => cache.append({ lambdaK, v })).toThrow(
      'TauCache.append: logDecay must be given to a cache with decay, got none',
    )
    expect(() => cache.append({ lambdaK, v: q, logDecay })).toThrow(
      'TauCache.append: v must be [2, 3, 83, 5], got [2, 6, 83, 7]',
    )
    expect(() => cache.attend({ lambdaQ })).toThrow(
      'TauCache.attend: lambdaQ must hold at most the 0 cached positions, got 83; append them first',
    )
    expect(() => cache.attend({ lambdaQ: q })).toThrow('TauCache.attend: lambdaQ must be [2, 6, Tq]')
    const recorded = () => {
      cache.append({ lambdaK, v, logDecay })
      return sum(v)
    }
    expect(() => grad(recorded, [v])).toThrow('TauCache.append: this operation has no gradient')
    using plain = new KvCache(device(), { ...options, decay: false })
    expect(() => plain.append({ k: v, v, logDecay })).toThrow(
      'KvCache.append: logDecay must be left out of a cache without decay, got [2, 6, 83]',
    )
    expect(() => plain.attend({ q })).toThrow('KvCache.attend: q must be [2, 6, Tq, 5], got [2, 6, 83, 7]')
    expect(() => new TauCache(device(), { ...options, kvHeads: 4, decay: true, temperature })).toThrow(
      'TauCache: heads must be a multiple of kvHeads, got 6 and 4',
    )
    expect(() => new KvCache(device(), { ...options, valueDim: 0, decay: true })).toThrow(
      'must be whole numbers of at least 1',
    )
  })
})
