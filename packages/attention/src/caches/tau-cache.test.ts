import { cpu, type Device, gpu, slice, type Tensor } from '@tau/tensor'
import { describeDevices, expectNear, randomArray } from '@tau/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forgetGateDecay, type LogDecay } from '../kernels/decay/decay.ts'
import { lambdaAttention } from '../kernels/lambda-attention/lambda-attention.ts'
import { lambdaAttentionReference } from '../kernels/lambda-attention/reference.ts'
import { splitReadings, uniform } from '../testing/attention-cases.ts'
import { KvCache } from './kv-cache.ts'
import { TauCache } from './tau-cache.ts'

interface Case {
  readonly lambdaQ: Tensor
  readonly lambdaK: Tensor
  readonly v: Tensor
  readonly logDecay?: LogDecay
}

const part = (x: Tensor, from: number, to: number): Tensor => slice(x, 2, from, to)

const positions = ({ lambdaK, v, logDecay }: Case, from: number, to: number) => ({
  lambdaK: part(lambdaK, from, to),
  v: part(v, from, to),
  logDecay: logDecay && { high: part(logDecay.high, from, to), low: part(logDecay.low, from, to) },
})

/** Appends positions from … to−1 one by one and attends after each. Returns one row [B·H·D] per step. */
function decode(
  device: Device,
  cache: TauCache,
  data: Case,
  from: number,
  to: number,
): Promise<Float32Array[]> {
  const rows: Promise<Float32Array>[] = []
  for (let t = from; t < to; t++) {
    using _step = device.scope()
    cache.append(positions(data, t, t + 1))
    rows.push(cache.attend({ lambdaQ: part(data.lambdaQ, t, t + 1) }).data())
  }
  return Promise.all(rows)
}

/** Column t of [B, H, T, D] for each t from … to−1. */
const columnsOf = (full: Tensor, from: number, to: number): Promise<Float32Array[]> =>
  Promise.all(Array.from({ length: to - from }, (_, i) => part(full, from + i, from + i + 1).data()))

function expectRows(found: readonly Float32Array[], expected: readonly Float32Array[], atol: number): void {
  expect(found.length).toBe(expected.length)
  found.forEach((row, t) => {
    try {
      expectNear(row, expected[t], { atol })
    } catch (error) {
      throw new Error(`step ${t}: ${error instanceof Error ? error.message : error}`)
    }
  })
}

const ORDERS: Readonly<Record<string, (i: number, length: number) => number>> = {
  sorted: (i, length) => i / length,
  reversed: (i, length) => 1 - i / length,
  'all equal': () => 0.25,
  'two clusters': (i) => (i % 2 ? 0.9 : 0.1) + (i % 7) * 1e-7,
  'heavy ties': (i) => ((i * 31) % 5) / 5,
  scattered: (i) => (i * 0.6180339887) % 1,
}

const DECAYS: Readonly<Record<string, (i: number) => number>> = {
  'stands still': () => 3,
  runs: (i) => 0.7 * i,
  'leaps by 100': (i) => 0.01 * i + 100 * Math.floor(i / 37),
  'is late': (i) => 1e6 + 0.05 * i,
}

describe('TauCache with trees', () => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 2 })
  })
  afterAll(() => device.close())

  /** Random data [1, heads, length] with a forget gate whose biases are spread over the heads. */
  function makeCase(heads: number, kvHeads: number, length: number, dim: number): Case {
    const logits = randomArray(heads * length, 5).map((x, i) => x + 1 + 2 * Math.floor(i / length))
    return {
      lambdaQ: device.tensor(uniform(heads * length, 1), [1, heads, length]),
      lambdaK: device.tensor(uniform(kvHeads * length, 2), [1, kvHeads, length]),
      v: device.tensor(randomArray(kvHeads * length * dim, 3), [1, kvHeads, length, dim]),
      logDecay: forgetGateDecay(device.tensor(logits, [1, heads, length])),
    }
  }

  it('4096 tokens one by one, after a truncation and in two forks, are within 1e-5 of the full pass', async () => {
    const before = device.memory.liveBuffers
    {
      using _scope = device.scope()
      const [heads, kvHeads, length, dim] = [4, 2, 4096, 64]
      const data = makeCase(heads, kvHeads, length, dim)
      const temperature = device.tensor([0.5, 0.05, 0.01, 1e-3])
      const full = lambdaAttention({ ...data, temperature })
      const expected = await columnsOf(full, 0, length)
      const options = { batch: 1, heads, kvHeads, valueDim: dim, decay: true, temperature }
      const cache = new TauCache(device, options)
      expectRows(await decode(device, cache, data, 0, length), expected, 1e-5)

      // Truncates a few positions, then nearly all, and decodes again.
      for (const [kept, until] of [
        [4091, 4096],
        [3000, 3100],
        [70, 300],
      ]) {
        cache.truncate(kept)
        expect(cache.length).toBe(kept)
        expectRows(await decode(device, cache, data, kept, until), expected.slice(kept, until), 1e-5)
      }

      const fork = cache.fork()
      const other = { ...data, lambdaK: device.tensor(uniform(kvHeads * length, 7), [1, kvHeads, length]) }
      await decode(device, cache, other, 300, 700)
      expectRows(await decode(device, fork, data, 300, 700), expected.slice(300, 700), 1e-5)
      cache.truncate(200)
      expectRows(await decode(device, cache, data, 200, 500), expected.slice(200, 500), 1e-5)
      cache.dispose()
      expectRows(await decode(device, fork, data, 700, 900), expected.slice(700, 900), 1e-5)
      fork.dispose()
    }
    expect(device.memory.liveBuffers).toBe(before)
  })

  it('prefills, chunks and steps in any mixture give the full pass', async () => {
    using _scope = device.scope()
    const [heads, kvHeads, length, dim] = [3, 1, 1500, 7]
    const data = makeCase(heads, kvHeads, length, dim)
    const temperature = device.tensor([0.3, 0.03, 0.003])
    const full = lambdaAttention({ ...data, temperature })
    using cache = new TauCache(device, { batch: 1, heads, kvHeads, valueDim: dim, decay: true, temperature })
    let start = 0
    for (const count of [700, 1, 5, 9, 40, 1, 300, 200, 1, 243]) {
      using _step = device.scope()
      const end = start + count
      cache.append(positions(data, start, end))
      const found = await cache.attend({ lambdaQ: part(data.lambdaQ, start, end) }).data()
      expectNear(found, await part(full, start, end).data(), { atol: 3e-6 })
      const newest = await cache.attend({ lambdaQ: part(data.lambdaQ, end - 1, end) }).data()
      expectNear(newest, await part(full, end - 1, end).data(), { atol: 3e-6 })
      start = end
    }
    expect(cache.length).toBe(length)
    expect(await cache.lambdaK().data()).toEqual(await data.lambdaK.data())
  })

  describe.each(Object.keys(ORDERS))('λ %s', (order) => {
    it.each(Object.keys(DECAYS))(
      'decay that %s: agrees with the f64 reference from 1e-4 to 10',
      async (rule) => {
        using _scope = device.scope()
        const [length, dim] = [331, 5]
        const temperatures = [1e-4, 1e-2, 0.3, 10]
        const heads = temperatures.length
        const sizes = { batch: 1, heads, kvHeads: 1, dim, keys: length, queries: length }
        const keys = Float32Array.from({ length }, (_, i) => ORDERS[order](i, length))
        const queries = Float32Array.from({ length: heads * length }, (_, i) => keys[(i * 17) % length])
        const readings = Float64Array.from({ length: heads * length }, (_, i) => DECAYS[rule](i % length))
        const parts = splitReadings(readings)
        const values = Float32Array.from(randomArray(length * dim, 4))
        const temperature = Float32Array.from(temperatures)
        const expected = lambdaAttentionReference(
          sizes,
          Float64Array.from(queries),
          Float64Array.from(keys),
          Float64Array.from(values),
          Float64Array.from(temperature),
          readings.map((_, i) => parts.high[i] + parts.low[i]),
        )
        const data: Case = {
          lambdaQ: device.tensor(queries, [1, heads, length]),
          lambdaK: device.tensor(keys, [1, 1, length]),
          v: device.tensor(values, [1, 1, length, dim]),
          logDecay: {
            high: device.tensor(parts.high, [1, heads, length]),
            low: device.tensor(parts.low, [1, heads, length]),
          },
        }
        using cache = new TauCache(device, {
          ...{ batch: 1, heads, kvHeads: 1, valueDim: dim, decay: true },
          temperature: device.tensor(temperature),
        })
        const found = await decode(device, cache, data, 0, length)
        const row = (t: number) =>
          Float64Array.from({ length: heads * dim }, (_, i) => {
            const [head, d] = [Math.floor(i / dim), i % dim]
            return expected[(head * length + t) * dim + d]
          })
        found.forEach((out, t) => {
          expectNear(out, row(t), { atol: 4e-6 })
        })
      },
    )
  })

  it('random appends, truncations and forks equal a cache that is built in one go', async () => {
    const [heads, kvHeads, dim, length] = [2, 1, 3, 2000]
    const step = fc.record({
      kind: fc.constantFrom('append', 'append', 'one by one', 'truncate', 'fork', 'swap'),
      share: fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 6, maxLength: 40 }),
        fc.integer({ min: 1, max: 1e6 }),
        async (steps, seed) => {
          const before = device.memory.liveBuffers
          {
            using _scope = device.scope()
            const random = makeCase(heads, kvHeads, length, dim)
            // Half of the keys are tied.
            const keys = uniform(length, seed).map((x) => (x < 0.5 ? Math.round(x * 8) / 8 : x))
            const data = { ...random, lambdaK: device.tensor(keys, [1, 1, length]) }
            const temperature = device.tensor([0.2, 0.002])
            const options = { batch: 1, heads, kvHeads, valueDim: dim, decay: true, temperature }
            let caches = [new TauCache(device, options)]
            for (const { kind, share } of steps) {
              using _step = device.scope()
              const [cache] = caches
              const start = cache.length
              if (kind === 'swap') caches = [...caches.slice(1), cache]
              else if (kind === 'fork') caches.push(cache.fork())
              else if (kind === 'truncate') cache.truncate(start - Math.floor(share * share * start))
              else {
                const end = Math.min(length, start + Math.floor(share * (kind === 'append' ? 400 : 60)))
                if (kind === 'append') cache.append(positions(data, start, end))
                else for (let t = start; t < end; t++) cache.append(positions(data, t, t + 1))
              }
            }
            for (const cache of caches) {
              if (cache.length > 0) {
                using whole = new TauCache(device, options)
                whole.append(positions(data, 0, cache.length))
                for (const t of [0, 7, 13]) {
                  const lambdaQ = part(data.lambdaQ, t, t + 1)
                  expectNear(await cache.attend({ lambdaQ }).data(), await whole.attend({ lambdaQ }).data(), {
                    atol: 2e-6,
                  })
                }
              }
              cache.dispose()
            }
          }
          expect(device.memory.liveBuffers).toBe(before)
        },
      ),
      { numRuns: 40, seed: 3 },
    )
  })

  it('holds at most a few times the memory that it needs, even if it is forked at every token', async () => {
    using _scope = device.scope()
    const [heads, kvHeads, dim, length] = [2, 1, 11, 1200]
    const data = makeCase(heads, kvHeads, length, dim)
    const temperature = device.tensor([0.2, 0.02])
    const options = { batch: 1, heads, kvHeads, valueDim: dim, decay: true, temperature }
    const full = lambdaAttention({ ...data, temperature })
    using straight = new TauCache(device, options)
    straight.append(positions(data, 0, length))
    let cache = new TauCache(device, options)
    for (let t = 0; t < length; t++) {
      using _step = device.scope()
      const next = cache.fork()
      cache.dispose()
      cache = next
      cache.append(positions(data, t, t + 1))
    }
    const newest = await cache.attend({ lambdaQ: part(data.lambdaQ, length - 1, length) }).data()
    expectNear(newest, await part(full, length - 1, length).data(), { atol: 2e-6 })
    expect(cache.bytes()).toBeLessThan(4 * straight.bytes())
    cache.dispose()
  })

  it('reads positions in order of time, and reuses the memory of forgotten ones', async () => {
    using _scope = device.scope()
    const [heads, kvHeads, dim, length] = [2, 1, 11, 2000]
    const data = makeCase(heads, kvHeads, length, dim)
    const temperature = device.tensor([0.2, 0.02])
    using cache = new TauCache(device, { batch: 1, heads, kvHeads, valueDim: dim, decay: true, temperature })
    cache.append(positions(data, 0, length))
    const bytes = cache.bytes()
    // Each round forgets a few of the sorted positions and adds them again.
    for (let end = length; end > length - 600; end -= 6) {
      using _step = device.scope()
      cache.truncate(end - 6)
      for (let t = end - 6; t < end - 2; t++) cache.append(positions(data, t, t + 1))
      cache.truncate(end - 6)
    }
    expect(cache.bytes()).toBeLessThan(1.2 * bytes)
    const kept = cache.length
    expect(kept).toBe(1400)
    expect(await cache.lambdaK().data()).toEqual(await part(data.lambdaK, 0, kept).data())
    const lambdaQ = part(data.lambdaQ, kept - 1, kept)
    const full = lambdaAttention({
      ...positions(data, 0, kept),
      lambdaQ: part(data.lambdaQ, 0, kept),
      temperature,
    })
    const out = await cache.attend({ lambdaQ }).data()
    expectNear(out, await part(full, kept - 1, kept).data(), { atol: 2e-6 })
  })

  it('shares the memory of a prefix between forks', () => {
    using _scope = device.scope()
    const data = makeCase(2, 1, 2048, 64)
    const temperature = device.tensor([0.2, 0.02])
    using cache = new TauCache(device, {
      batch: 1,
      heads: 2,
      kvHeads: 1,
      valueDim: 64,
      decay: true,
      temperature,
    })
    cache.append(positions(data, 0, 2000))
    const before = device.memory.liveBytes
    using fork = cache.fork()
    fork.append(positions(data, 2000, 2001))
    expect(fork.bytes()).toBeGreaterThan(cache.bytes() / 2)
    // It needs a block of 256 positions, reserves of nodes for two trees, and little else.
    expect(device.memory.liveBytes - before).toBeLessThan(0.3 * cache.bytes())
  })

  it.each([true, false])('with decay: %s, takes at most 0.6 of a KvCache, 0.35 with f16 values', (decay) => {
    using _scope = device.scope()
    const [heads, length, dim] = [1, 16_384, 64]
    const data = makeCase(heads, heads, length, dim)
    const options = { batch: 1, heads, kvHeads: heads, valueDim: dim, decay }
    const temperature = device.tensor([0.05])
    using kv = new KvCache(device, options)
    kv.append({ k: data.v, v: data.v, logDecay: decay ? data.logDecay : undefined })
    for (const [values, share] of [
      ['f32', 0.6],
      ['f16', 0.35],
      ['int8', 0.23],
    ] as const) {
      // Built in one go, and grown token by token, which splits leaves.
      for (const start of [length, length - 4096]) {
        using cache = new TauCache(device, { ...options, temperature, values })
        const all = decay ? data : { ...data, logDecay: undefined }
        cache.append(positions(all, 0, start))
        for (let t = start; t < length; t++) {
          using _step = device.scope()
          cache.append(positions(all, t, t + 1))
        }
        expect(cache.bytes() / kv.bytes()).toBeLessThan(share)
      }
    }
  })

  describe('values', () => {
    /** Values as a cache stores them. It reads them back by a query that sees one key, which has all the
     *  weight. */
    async function stored(
      values: 'f16' | 'int8',
      vectors: readonly ArrayLike<number>[],
    ): Promise<Float32Array> {
      using _scope = device.scope()
      const [count, dim] = [vectors.length, vectors[0].length]
      const options = { batch: count, heads: 1, kvHeads: 1, valueDim: dim, decay: false, values }
      using cache = new TauCache(device, { ...options, temperature: device.tensor([1]) })
      const lambda = device.tensor(new Float32Array(count), [count, 1, 1])
      const flat = Float32Array.from(vectors.flatMap((vector) => Array.from(vector)))
      cache.append({ lambdaK: lambda, v: device.tensor(flat, [count, 1, 1, dim]) })
      return cache.attend({ lambdaQ: lambda }).data()
    }

    it('f16 rounds to the nearest half, ties to even', async () => {
      const ulp = 2 ** -10
      const found = await stored('f16', [
        [1 + ulp / 2, 1 + 1.5 * ulp, 1 + 0.51 * ulp, -(1 + 0.49 * ulp), 65504],
        [2 ** -24, 2 ** -25, 1.5 * 2 ** -24, 2.5 * 2 ** -24, -(2 ** -14) * (1 - 2 ** -11)],
        [0.1, -0.1, 0, 3, 2 ** -14],
      ])
      expect([...found]).toEqual([
        ...[1, 1 + 2 * ulp, 1 + ulp, -1, 65504],
        ...[2 ** -24, 0, 2 ** -23, 2 ** -23, -(2 ** -14)],
        ...[0.0999755859375, -0.0999755859375, 0, 3, 2 ** -14],
      ])
    })

    it('f16 is within 2⁻¹¹ of each value, or 2⁻²⁵ of the smallest', async () => {
      const value = fc.float({ min: -65504, max: 65504, noNaN: true })
      const scaled = fc
        .tuple(value, fc.integer({ min: -40, max: 0 }))
        .map(([x, e]) => Math.fround(x * 2 ** e))
      await fc.assert(
        fc.asyncProperty(fc.array(scaled, { minLength: 1, maxLength: 37 }), async (vector) => {
          const found = await stored('f16', [vector])
          vector.forEach((x, i) => {
            expect(Math.abs(found[i] - x)).toBeLessThanOrEqual(Math.max(2 ** -11 * Math.abs(x), 2 ** -25))
          })
        }),
        { numRuns: 200, seed: 5 },
      )
    })

    it('int8 is within half a step of max |v| / 127', async () => {
      const value = fc.float({ min: -1000, max: 1000, noNaN: true })
      await fc.assert(
        fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 37 }), async (vector) => {
          const found = await stored('int8', [vector])
          const largest = Math.max(...vector.map(Math.abs))
          const step = largest / 127
          vector.forEach((x, i) => {
            // Steps and products are rounded to f32. Values below 2⁻¹⁴⁹·127 become 0.
            expect(Math.abs(found[i] - x)).toBeLessThanOrEqual(step / 2 + 1e-7 * largest + 2 ** -142)
          })
        }),
        { numRuns: 200, seed: 6 },
      )
    })

    it.each(['f16', 'int8'] as const)('%s: decoding is exact for the stored values', async (values) => {
      using _scope = device.scope()
      const [heads, kvHeads, length, dim] = [4, 2, 500, 13]
      const data = makeCase(heads, kvHeads, length, dim)
      const temperature = device.tensor([0.5, 0.05, 0.01, 1e-3])
      const rows = await data.v.data()
      const kept = await stored(
        values,
        Array.from({ length: kvHeads * length }, (_, i) => rows.subarray(i * dim, (i + 1) * dim)),
      )
      const v = device.tensor(kept, data.v.shape)
      const full = lambdaAttention({ ...data, v, temperature })
      const options = { batch: 1, heads, kvHeads, valueDim: dim, decay: true, temperature, values }
      using cache = new TauCache(device, options)
      cache.append(positions(data, 0, 200))
      const prefill = await cache.attend({ lambdaQ: part(data.lambdaQ, 0, 200) }).data()
      expectNear(prefill, await part(full, 0, 200).data(), { atol: 3e-6 })
      const found = await decode(device, cache, data, 200, length)
      expectRows(found, await columnsOf(full, 200, length), 3e-6)
    })
  })

  describe('refuses, and is unchanged then:', () => {
    const [heads, kvHeads, length, dim] = [4, 2, 40, 5]
    const kept = 31

    async function check(
      change: (data: { [K in 'lambdaK' | 'v' | 'high' | 'low']: Float32Array }) => void,
      message: string,
      values: 'f32' | 'f16' | 'int8' = 'f32',
    ): Promise<void> {
      using _scope = device.scope()
      const data = makeCase(heads, kvHeads, length, dim)
      const temperature = device.tensor([0.5, 0.05, 0.01, 1e-3])
      const options = { batch: 1, heads, kvHeads, valueDim: dim, decay: true, temperature, values }
      using cache = new TauCache(device, options)
      cache.append(positions(data, 0, kept))
      const lambdaQ = part(data.lambdaQ, 0, 1)
      const [before, bytes] = [await cache.attend({ lambdaQ }).data(), cache.bytes()]
      const next = positions(data, kept, length)
      if (!next.logDecay) throw new Error('internal: the case must have a decay')
      const tensors = { lambdaK: next.lambdaK, v: next.v, high: next.logDecay.high, low: next.logDecay.low }
      const names = Object.keys(tensors) as (keyof typeof tensors)[]
      const arrays = Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await tensors[name].data()] as const)),
      ) as Parameters<typeof change>[0]
      change(arrays)
      const bad = (name: (typeof names)[number]) => device.tensor(arrays[name], tensors[name].shape)
      const live = device.memory.liveBuffers
      const changed = {
        lambdaK: bad('lambdaK'),
        v: bad('v'),
        logDecay: { high: bad('high'), low: bad('low') },
      }
      const append = () => cache.append(changed)
      expect(append).toThrow(RangeError)
      expect(append).toThrow(message)
      expect(device.memory.liveBuffers).toBe(live + 4)
      expect(cache.length).toBe(kept)
      expect(cache.bytes()).toBe(bytes)
      expect(await cache.attend({ lambdaQ }).data()).toEqual(before)
      expect(await cache.lambdaK().data()).toEqual(await part(data.lambdaK, 0, kept).data())
      cache.append(next)
      const full = lambdaAttention({ ...data, temperature })
      const last = await cache.attend({ lambdaQ: part(data.lambdaQ, length - 1, length) }).data()
      const atol = values === 'f32' ? 2e-6 : 2e-2
      expectNear(last, await part(full, length - 1, length).data(), { atol })
    }

    it('λ that is not finite', async () => {
      await check(({ lambdaK }) => {
        lambdaK[9 + 4] = Number.NaN
      }, 'TauCache.append: lambdaK must be finite, got NaN at [0, 1, 4]')
      await check(({ lambdaK }) => {
        lambdaK[8] = Number.NEGATIVE_INFINITY
      }, 'lambdaK must be finite, got -Infinity at [0, 0, 8]')
    })

    it('values that are not finite or too large for their format', async () => {
      for (const values of ['f32', 'f16', 'int8'] as const)
        await check(
          ({ v }) => {
            v[(9 + 2) * dim + 3] = Number.POSITIVE_INFINITY
          },
          'TauCache.append: v must be finite, got Infinity at [0, 1, 2, 3]',
          values,
        )
      await check(
        ({ v }) => {
          v[4] = -70_000
        },
        "v must lie within ±65504 for values 'f16', got -70000 at [0, 0, 0, 4]; use values 'f32'",
        'f16',
      )
    })

    it('readings that decrease, also after the last reading, or are not finite', async () => {
      await check(({ high, low }) => {
        high[3 * 9] = -1
        low[3 * 9] = 0
      }, 'logDecay must never decrease, got -1')
      await check(({ high, low }) => {
        high.set([50, 50], 2 * 9 + 7)
        low.set([1e-6, 0], 2 * 9 + 7)
      }, 'TauCache.append: logDecay must never decrease, got 50 after 50.00000')
      await check(({ low }) => {
        low[9 + 1] = Number.NaN
      }, 'logDecay must be finite, got NaN at [0, 1, 1]')
    })

    it('queries that are not finite', async () => {
      using _scope = device.scope()
      const data = makeCase(heads, kvHeads, length, dim)
      const temperature = device.tensor([0.5, 0.05, 0.01, 1e-3])
      using cache = new TauCache(device, {
        batch: 1,
        heads,
        kvHeads,
        valueDim: dim,
        decay: true,
        temperature,
      })
      cache.append(positions(data, 0, length))
      const lambdaQ = device.tensor([0, 0.5, 0.1, Number.NaN], [1, heads, 1])
      expect(() => cache.attend({ lambdaQ })).toThrow(
        'TauCache.attend: lambdaQ must be finite, got NaN at [0, 3, 0]',
      )
    })

    it('temperatures that are not above 0, other formats and sizes', () => {
      using _scope = device.scope()
      const options = { batch: 1, heads: 2, kvHeads: 1, valueDim: 3, decay: false }
      for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
        expect(() => new TauCache(device, { ...options, temperature: device.tensor([0.5, value]) })).toThrow(
          `TauCache: temperature must be above 0 and finite, got ${value} at [1]`,
        )
      expect(() => new TauCache(device, { ...options, temperature: device.tensor([1]) })).toThrow(
        'TauCache: temperature must be [2], got [1]',
      )
      const temperature = device.tensor([1, 1])
      // @ts-expect-error: callers without types
      expect(() => new TauCache(device, { ...options, temperature, values: 'f8' })).toThrow(
        'TauCache: values must be one of f32, f16, int8, got f8',
      )
      expect(() => new TauCache(device, { ...options, temperature, valueDim: 2.5 })).toThrow('valueDim 2.5')
    })
  })
})

describeDevices('TauCache, everywhere', { cpu, gpu }, (device, name) => {
  const [heads, kvHeads, length, dim] = [3, 1, 29, 5]
  const makeData = () => ({
    lambdaQ: device().tensor(uniform(heads * length, 1), [1, heads, length]),
    lambdaK: device().tensor(uniform(kvHeads * length, 2), [1, kvHeads, length]),
    v: device().tensor(randomArray(kvHeads * length * dim, 3), [1, kvHeads, length, dim]),
  })

  it('truncates and forks, and frees all memory', async () => {
    const before = device().memory.liveBuffers
    {
      using _scope = device().scope()
      const data = makeData()
      const temperature = device().tensor([0.3, 0.03, 0.003])
      const full = lambdaAttention({ ...data, temperature })
      const options = { batch: 1, heads, kvHeads, valueDim: dim, decay: false, temperature }
      using cache = new TauCache(device(), options)
      cache.append(positions(data, 0, 20))
      cache.truncate(11)
      using fork = cache.fork()
      for (const each of [cache, fork])
        expectRows(await decode(device(), each, data, 11, 23), await columnsOf(full, 11, 23), 2e-6)
      fork.truncate(3)
      expectRows(await decode(device(), fork, data, 3, 9), await columnsOf(full, 3, 9), 2e-6)
      expect([cache.length, fork.length]).toEqual([23, 9])
      fork.reset()
      expectRows(await decode(device(), fork, data, 0, 4), await columnsOf(full, 0, 4), 2e-6)
      cache.truncate(0)
      expectRows(await decode(device(), cache, data, 0, 2), await columnsOf(full, 0, 2), 2e-6)
    }
    expect(device().memory.liveBuffers).toBe(before)
  })

  it.skipIf(name.startsWith('cpu'))('keeps values as f32 where there are no trees', () => {
    using _scope = device().scope()
    const options = { batch: 1, heads: 1, kvHeads: 1, valueDim: 3, decay: false, values: 'f16' } as const
    expect(() => new TauCache(device(), { ...options, temperature: device().tensor([1]) })).toThrow(
      "TauCache: values 'f16' needs the cpu backend, got gpu; use 'f32'",
    )
  })

  it('refuses to truncate past the end, with the values', () => {
    using _scope = device().scope()
    const temperature = device().tensor([0.3, 0.03, 0.003])
    using cache = new TauCache(device(), {
      batch: 1,
      heads,
      kvHeads,
      valueDim: dim,
      decay: false,
      temperature,
    })
    cache.append(positions(makeData(), 0, 7))
    for (const wrong of [8, -1, 2.5, Number.NaN]) {
      expect(() => cache.truncate(wrong)).toThrow(RangeError)
      expect(() => cache.truncate(wrong)).toThrow(
        `TauCache.truncate: length must be a whole number from 0 to 7, the cached positions, got ${wrong}`,
      )
    }
    expect(cache.length).toBe(7)
  })
})
