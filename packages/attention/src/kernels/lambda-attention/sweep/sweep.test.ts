import { cpu, type Device, gpu } from '@tau/tensor'
import {
  checkGradients,
  describeDevices,
  expectNear,
  expectOracle,
  itMatchesOracle,
  randomArray,
} from '@tau/testing'
import type { OracleArray } from '@tau/testing/oracle'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { randomDecay, uniform } from '../../../testing/attention-cases.ts'
import { type LambdaSpec, lambdaCase, lambdaSpecs } from '../../../testing/lambda-cases.ts'
import {
  attend,
  attendReference,
  expectClose,
  inputsOf,
  largest,
  pairsOf,
  termSizes,
} from '../../../testing/lambda-checks.ts'
import { tensorOf } from '../../../testing/tensors.ts'
import { attentionSizes } from '../../attention-shape.ts'
import { lambdaAttention } from '../lambda-attention.ts'
import { lambdaAttentionGradReference, lambdaAttentionReference } from '../reference.ts'
import { sweepPass } from './pass.ts'
import { lambdaSweepGradWasm, lambdaSweepWasm } from './wasm.ts'

const CPU = ['cpu plain 1 thread', 'cpu relaxed 2 threads'] as const

const MOST_PAIRS = 3e6

describeDevices(
  'lambdaAttention by sweep',
  { cpu, gpu },
  (device, name) => {
    const seed = name === CPU[0] ? 5 : 6

    it('is within 5e-6 of f64 forward and 1e-5 backward, and near the quadratic kernel, for any input', async () => {
      await fc.assert(
        fc.asyncProperty(
          lambdaSpecs(3000).filter((spec) => pairsOf(spec) < MOST_PAIRS),
          async (spec) => {
            using _scope = device().scope()
            const { sizes } = spec
            const numbers = lambdaCase(spec)
            const weights = randomArray(numbers.lambdaQ.length * sizes.dim, spec.seed + 9)
            const dOut = Float64Array.from(Float32Array.from(weights))
            const onDevice = inputsOf(device(), spec, numbers)
            const dOutTensor = device().tensor(dOut, [sizes.batch, sizes.heads, sizes.queries, sizes.dim])
            const expected = attendReference(spec, numbers, dOut)
            const terms = termSizes(numbers, dOut, sizes.dim)
            const fast = await attend(onDevice, dOutTensor, 'sorted')
            // The floor allows for sums that cancel completely. They keep the rounding of f64, 1e-11 of their
            // terms at these lengths.
            expectClose(fast, expected, terms, { out: 5e-6, grads: 1e-5, floor: 1e-6 })
            const slow = await attend(onDevice, dOutTensor, 'quadratic')
            // The quadratic kernel sums in f32. Over thousands of tied keys its rounding errors all have the
            // same sign.
            expectClose(fast, slow, terms, { out: 4e-5, grads: 1e-4, floor: 0.05 })
          },
        ),
        { seed, numRuns: 110, endOnFailure: true },
      )
    }, 120_000)

    it.for([
      { keys: 2999, temperature: 0.05, logDecay: 'walk', values: 'random', order: 'random', ties: 0 },
      { keys: 3000, temperature: 10, logDecay: 'none', values: 'constant', order: 'equal', ties: 0 },
      { keys: 2600, temperature: 1, logDecay: 'still', values: 'time', order: 'grid', ties: 0 },
      { keys: 8191, temperature: 10, logDecay: 'none', values: 'constant', order: 'random', ties: 4 },
      // Long enough to keep rows in order of λ (sorted.ts). The last block is incomplete, and the first query
      // lies within a block.
      { keys: 33_391, absent: 0, temperature: 3, logDecay: 'none', values: 'time', order: 'grid', ties: 0 },
      {
        keys: 34_781,
        absent: 5003,
        temperature: 0.02,
        logDecay: 'leaps',
        values: 'random',
        order: 'random',
        ties: 64,
      },
    ] as const)('stays within 5e-6 of f64 for long inputs: %o', async (given) => {
      using _scope = device().scope()
      const { keys, absent, ...rest } = { absent: 0, ...given }
      const queries = keys - absent
      const sizes = { batch: 1, heads: 1, kvHeads: 1, queries, keys, dim: 5 }
      const spec = { ...rest, sizes, shared: false, parts: true, start: 0, seed }
      const numbers = lambdaCase(spec)
      const { inputs } = inputsOf(device(), spec, numbers)
      const out = await lambdaAttention({ ...inputs, algorithm: 'sorted' }).data()
      const { lambdaQ, lambdaK, v, temperature, logDecay } = numbers
      for (let query = queries - 1; query >= 0; query -= keys > 9000 ? 1997 : 97) {
        const row = { ...sizes, queries: 1, keys: query + absent + 1 }
        const expected = lambdaAttentionReference(
          ...([row, lambdaQ.subarray(query), lambdaK, v, temperature, logDecay] as const),
        )
        const found = out.subarray(query * sizes.dim, (query + 1) * sizes.dim)
        expectNear(found, expected, { atol: 5e-6 * largest(v) })
      }
    })

    it('has the gradients of the quadratic kernel if rows are kept in order of λ', async () => {
      using _scope = device().scope()
      const sizes = { batch: 1, heads: 1, kvHeads: 1, queries: 32_779, keys: 32_779, dim: 1 }
      const spec: LambdaSpec = {
        sizes,
        temperature: 0.01,
        order: 'random',
        ties: 0,
        values: 'random',
        logDecay: 'walk',
        shared: false,
        parts: true,
        start: 0,
        seed,
      }
      const numbers = lambdaCase(spec)
      const weights = randomArray(sizes.queries, 9)
      const dOut = device().tensor(weights, [1, 1, sizes.queries, 1])
      const onDevice = inputsOf(device(), spec, numbers)
      const slow = await attend(onDevice, dOut, 'quadratic')
      const terms = termSizes(numbers, weights, sizes.dim)
      expectClose(await attend(onDevice, dOut, 'sorted'), slow, terms, {
        out: 1e-5,
        grads: 1e-4,
        floor: 0.05,
      })
    })

    it.for([
      { batch: 1, heads: 2, kvHeads: 1, queries: 67, keys: 67, dim: 3 },
      { batch: 2, heads: 3, kvHeads: 3, queries: 11, keys: 37, dim: 5 },
    ])('has the gradients of the reference across leaves for %o', async (sizes) => {
      const { batch, heads, kvHeads, queries, keys, dim } = sizes
      await checkGradients({
        inputs: [
          uniform(batch * heads * queries, 21),
          uniform(batch * kvHeads * keys, 22),
          randomArray(batch * kvHeads * keys * dim, 23),
          Float64Array.from({ length: heads }, (_, h) => 0.5 + h),
          randomDecay(batch * heads, keys, 24),
        ],
        reference: (q, k, v, temperature, logDecay) =>
          lambdaAttentionReference(sizes, q, k, v, temperature, logDecay),
        gradients: async ([q, k, v, h, c], weights) => {
          using _scope = device().scope()
          const named = {
            lambdaQ: device().tensor(q, [batch, heads, queries]),
            lambdaK: device().tensor(k, [batch, kvHeads, keys]),
            v: device().tensor(v, [batch, kvHeads, keys, dim]),
            temperature: device().tensor(h),
            logDecay: device().tensor(c, [batch, heads, keys]),
          }
          const dOut = device().tensor(weights, [batch, heads, queries, dim])
          return (await attend({ inputs: named, named }, dOut, 'sorted')).slice(1)
        },
        tolerance: { atol: 2e-6, rtol: 2e-6 },
      })
    })

    it('forgets what has decayed: pairs whose weight underflows change no bit, wherever the decay leaps', async () => {
      const length = 131
      const sizes = { batch: 1, heads: 1, kvHeads: 1, queries: length, keys: length, dim: 3 }
      const [q, k, v] = [31, 32, 33].map((s, i) => Float32Array.from(uniform(length * (i === 2 ? 3 : 1), s)))
      const dOut = Float32Array.from(randomArray(3 * length, 34))
      for (let leap = 1; leap < length; leap++) {
        using _scope = device().scope()
        const logDecay = Float32Array.from({ length }, (_, t) => t / 8 + (t < leap ? 0 : 200))
        const run = (keys: Float32Array, values: Float32Array) => {
          const named = {
            lambdaQ: device().tensor(q, [1, 1, length]),
            lambdaK: device().tensor(keys, [1, 1, length]),
            v: device().tensor(values, [1, 1, length, 3]),
            temperature: device().tensor([0.1]),
            logDecay: device().tensor(logDecay, [1, length]),
          }
          return attend({ inputs: named, named }, device().tensor(dOut, [1, 1, length, 3]), 'sorted')
        }
        const found = await run(k, v)
        const exact = [q, k, v, Float32Array.of(0.1), logDecay].map((x) => Float64Array.from(x))
        const [eq, ek, ev, eh, ec] = exact
        const numbers = { lambdaQ: eq, lambdaK: ek, v: ev, temperature: eh, logDecay: ec }
        const weights = Float64Array.from(dOut)
        const expected = [
          lambdaAttentionReference(sizes, eq, ek, ev, eh, ec),
          ...lambdaAttentionGradReference(sizes, exact, weights),
        ]
        const given = { high: logDecay, low: logDecay }
        const terms = termSizes({ ...numbers, given }, weights, sizes.dim)
        expectClose(found, expected, terms, { out: 2e-6, grads: 3e-6, floor: 1e-6 })
        if (leap % 13 !== 0) continue
        const other = await run(
          k.map((x, t) => (t < leap ? 0.9 - x / 2 : x)),
          v.map((x, i) => (i < 3 * leap ? -x : x)),
        )
        expect(other[0].subarray(3 * leap)).toEqual(found[0].subarray(3 * leap))
        expect(other[1].subarray(leap)).toEqual(found[1].subarray(leap))
        expect(other[0].subarray(0, 3 * leap)).not.toEqual(found[0].subarray(0, 3 * leap))
      }
    })

    it.for([
      ['lambdaK', Number.NaN],
      ['lambdaK', Number.POSITIVE_INFINITY],
      ['lambdaQ', Number.NaN],
      ['v', Number.NaN],
      ['v', Number.POSITIVE_INFINITY],
      ['logDecay', Number.NaN],
      ['logDecay', Number.POSITIVE_INFINITY],
      ['temperature', Number.NaN],
    ] as const)('is not finite in exactly the rows that see a %s of %f', async ([where, value]) => {
      const length = 141
      for (const at of where === 'temperature' ? [0] : [0, 5, 31, 32, 64, 100, 140]) {
        using _scope = device().scope()
        const arrays = {
          lambdaQ: uniform(length, 41),
          lambdaK: uniform(length, 42),
          v: uniform(length, 43),
          temperature: Float64Array.of(0.3),
          logDecay: Float64Array.from({ length }, (_, t) => t / 100),
        }
        arrays[where][at] = value
        const named = {
          lambdaQ: device().tensor(arrays.lambdaQ, [1, 1, length]),
          lambdaK: device().tensor(arrays.lambdaK, [1, 1, length]),
          v: device().tensor(arrays.v, [1, 1, length, 1]),
          temperature: device().tensor(arrays.temperature),
          logDecay: device().tensor(arrays.logDecay, [1, 1, length]),
        }
        const dOut = device().tensor(new Float32Array(length).fill(1), [1, 1, length, 1])
        const [out, ...grads] = await attend({ inputs: named, named }, dOut, 'sorted')
        const rows = Array.from(out, (x, t) => (Number.isFinite(x) ? -1 : t)).filter((t) => t >= 0)
        const seen = Array.from(out, (_, t) => t).filter((t) => (where === 'lambdaQ' ? t === at : t >= at))
        expect(rows, `${where} at ${at}`).toEqual(seen)
        expect(grads[3][0]).toBeNaN()
        for (const t of seen) expect(grads[0][t], `dLambdaQ at ${t}`).toBeNaN()
        if (where !== 'v') expect(grads[2].some(Number.isNaN)).toBe(true)
      }
    })

    it('frees its scratch, and needs O(T·D) of it at most', async () => {
      const { engine } = device()
      if (engine.backend !== 'cpu') throw new Error('internal: cpu() must give a cpu engine')
      const sizesOf = new Map<number, number>()
      let held = 0
      let most = 0
      const { alloc, free } = { alloc: engine.alloc.bind(engine), free: engine.free.bind(engine) }
      const spies = [
        vi.spyOn(engine, 'alloc').mockImplementation((bytes) => {
          const handle = alloc(bytes)
          sizesOf.set(handle, bytes)
          held += bytes
          most = Math.max(most, held)
          return handle
        }),
        vi.spyOn(engine, 'free').mockImplementation((handle) => {
          held -= sizesOf.get(handle) ?? 0
          sizesOf.delete(handle)
          free(handle)
        }),
      ]
      try {
        const before = device().memory.liveBuffers
        for (const length of [257, 20_000]) {
          most = 0
          const dim = 4
          {
            using _scope = device().scope()
            const named = {
              lambdaQ: device().tensor(uniform(length, 51), [1, 1, length]),
              lambdaK: device().tensor(uniform(length, 52), [1, 1, length]),
              v: device().tensor(uniform(length * dim, 53), [1, 1, length, dim]),
              temperature: device().tensor([0.1]),
            }
            const dOut = device().tensor(uniform(length * dim, 54), [1, 1, length, dim])
            await attend({ inputs: named, named }, dOut, 'sorted')
          }
          // Inputs, outputs, gradients and what the tape keeps take about 12 rows of D. Scratch takes 112
          // bytes per time. A T² matrix would take 80 000.
          expect(most / length).toBeLessThan(12 * 4 * dim + 180)
          expect(held).toBe(0)
        }
        expect(device().memory.liveBuffers).toBe(before)
      } finally {
        for (const spy of spies) spy.mockRestore()
      }
    })

    type Common = 'lambda_q' | 'lambda_k' | 'v' | 'temperature' | 'clock'
    itMatchesOracle<
      Record<Common | 'r', OracleArray>,
      { out: OracleArray; grads: Record<Common, OracleArray> }
    >('attention_clock', async ({ inputs, expected, tolerance }) => {
      using _scope = device().scope()
      const { engine } = device()
      if (engine.backend !== 'cpu') throw new Error('internal: cpu() must give a cpu engine')
      const lambdaQ = tensorOf(device(), inputs.lambda_q, 1)
      const lambdaK = tensorOf(device(), inputs.lambda_k, 1)
      const v = tensorOf(device(), inputs.v, 1)
      const temperature = tensorOf(device(), inputs.temperature)
      const clock = tensorOf(device(), inputs.clock, 1)
      const sizes = attentionSizes('test', lambdaQ, lambdaK, v, clock, { queries: 'q', keys: 'k' })
      for (const leaf of [4, 16]) {
        // Small leaves cut even fixtures of a few tokens into blocks.
        const pass = sweepPass(
          device(),
          {
            ...{ lambdaQ: lambdaQ.handle, lambdaK: lambdaK.handle, v: v.handle },
            ...{ temperature: temperature.handle, logDecay: { high: clock.handle, low: undefined } },
          },
          sizes,
          true,
          {
            lambdaSweep: lambdaSweepWasm(engine, leaf),
            lambdaSweepGrad: lambdaSweepGradWasm(engine, leaf),
          },
        )
        expectOracle({ out: await pass.out.data() }, expected, tolerance)
        const grads = pass.backward(tensorOf(device(), inputs.r, 1), true)
        const dLogDecay = grads.logDecay(clock)
        if (!dLogDecay) throw new Error('internal: the decay has a gradient')
        const found = {
          lambda_q: await grads.lambdaQ.data(),
          lambda_k: await grads.lambdaK.data(),
          v: await grads.v.data(),
          temperature: await grads.temperature.data(),
          clock: await dLogDecay.data(),
        }
        expectOracle(found, expected.grads, tolerance.grads)
      }
    })
  },
  CPU,
)

describe('lambdaAttention by sweep on threads', () => {
  const devices: Device[] = []
  beforeAll(async () => {
    for (const threads of [1, 2, 4]) devices.push(await cpu({ threads }))
  })
  afterAll(() => Promise.all(devices.map((device) => device.close())))

  it.for([
    [1, 1],
    [1, 2],
    [3, 1],
    [2, 2],
    [1, 5],
    [2, 3],
    [7, 1],
    [4, 2],
    [3, 3],
  ])('gives the same bits with 1, 2 and 4 threads: batch %i, %i heads', async ([batch, heads]) => {
    const sizes = { batch, heads, kvHeads: 1, queries: 307, keys: 521, dim: 7 }
    const spec: LambdaSpec = {
      sizes,
      temperature: 0.02,
      order: 'random',
      ties: 64,
      values: 'random',
      logDecay: 'walk',
      shared: false,
      parts: true,
      start: 0,
      seed: 61,
    }
    const numbers = lambdaCase(spec)
    const weights = randomArray(numbers.lambdaQ.length * sizes.dim, 62)
    const results: Float32Array[][] = []
    for (const device of devices) {
      using _scope = device.scope()
      const dOut = device.tensor(weights, [batch, heads, sizes.queries, sizes.dim])
      results.push(await attend(inputsOf(device, spec, numbers), dOut, 'sorted'))
    }
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })
})
