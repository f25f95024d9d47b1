import { type Device, gpu } from '@tau/tensor'
import type { GpuEngine } from '@tau/tensor/kernel'
import { expectNear, expectOracle, gpuModes, itMatchesOracle, randomArray } from '@tau/testing'
import type { OracleArray } from '@tau/testing/oracle'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LambdaSpec, lambdaCase, lambdaSpecs } from '../../../testing/lambda-cases.ts'
import {
  attend,
  attendReference,
  expectClose,
  inputsOf,
  largest,
  type OnDevice,
  pairsOf,
  termSizes,
} from '../../../testing/lambda-checks.ts'
import { tensorOf } from '../../../testing/tensors.ts'
import { attentionSizes, decayBuffers } from '../../attention-shape.ts'
import { decayParts } from '../../decay/decay.ts'
import { lambdaAttention } from '../lambda-attention.ts'
import { lambdaAttentionReference } from '../reference.ts'
import { levelsOf, statesLength } from './levels.ts'
import { mergePass, prefersMerge } from './pass.ts'
import { lambdaMergeGradWgsl, lambdaMergeWgsl } from './wgsl.ts'

/** Small blocks give short inputs many levels. */
const SMALL = 16
const MOST_PAIRS = 3e5

const PLAIN: Omit<LambdaSpec, 'sizes'> = {
  temperature: 0.05,
  order: 'random',
  ties: 0,
  values: 'random',
  logDecay: 'walk',
  shared: false,
  parts: true,
  start: 0,
  seed: 71,
}

function engineOf({ engine }: Device): GpuEngine {
  if (engine.backend !== 'gpu') throw new Error('internal: gpu() must give a gpu engine')
  return engine
}

describe.runIf(gpuModes.includes('webgpu'))('lambdaAttention by merge', () => {
  let device: Device
  let kernels: NonNullable<Parameters<typeof mergePass>[4]>
  beforeAll(async () => {
    device = await gpu({ mode: 'webgpu' })
    const engine = engineOf(device)
    kernels = {
      lambdaMerge: lambdaMergeWgsl(engine, SMALL),
      lambdaMergeGrad: lambdaMergeGradWgsl(engine, SMALL),
    }
  })
  afterAll(() => device.close())

  /** out and the gradients of Σ dOut·out, computed with small blocks. */
  async function attendSmall({ inputs }: OnDevice, weights: ArrayLike<number>): Promise<Float32Array[]> {
    const { lambdaQ, lambdaK, v, temperature, logDecay } = inputs
    const sizes = attentionSizes('test', lambdaQ, lambdaK, v, logDecay, { queries: 'q', keys: 'k' })
    const handles = {
      ...{ lambdaQ: lambdaQ.handle, lambdaK: lambdaK.handle, v: v.handle, temperature: temperature.handle },
      logDecay: decayBuffers(logDecay),
    }
    const pass = mergePass(device, handles, sizes, true, kernels)
    const dOut = device.tensor(Float32Array.from(weights), pass.out.shape)
    const grads = pass.backward(dOut, logDecay !== undefined)
    const dLogDecay = logDecay && grads.logDecay(decayParts(logDecay).high)
    const all = [pass.out, grads.lambdaQ, grads.lambdaK, grads.v, grads.temperature]
    return Promise.all([...all, ...(dLogDecay ? [dLogDecay] : [])].map((tensor) => tensor.data()))
  }

  it('is within 1e-5 of f64 forward and 3e-5 backward for any input', async () => {
    await fc.assert(
      fc.asyncProperty(
        lambdaSpecs(1100).filter((spec) => pairsOf(spec) < MOST_PAIRS),
        async (spec) => {
          using _scope = device.scope()
          const { sizes } = spec
          const numbers = lambdaCase(spec)
          const weights = randomArray(numbers.lambdaQ.length * sizes.dim, spec.seed + 9)
          const dOut = Float64Array.from(Float32Array.from(weights))
          const found = await attendSmall(inputsOf(device, spec, numbers), dOut)
          // Sums run in f32. If hundreds of terms cancel, their rounding errors remain.
          expectClose(found, attendReference(spec, numbers, dOut), termSizes(numbers, dOut, sizes.dim), {
            ...{ out: 1e-5, grads: 3e-5, floor: 0.05 },
          })
        },
      ),
      { seed: 7, numRuns: 60, endOnFailure: true },
    )
  }, 180_000)

  it.for([
    { keys: 4099, temperature: 0.05, logDecay: 'walk', values: 'random', order: 'random', ties: 0 },
    {
      keys: 5003,
      absent: 3001,
      temperature: 0.01,
      logDecay: 'leaps',
      values: 'time',
      order: 'grid',
      ties: 0,
    },
    { keys: 4200, temperature: 10, logDecay: 'none', values: 'constant', order: 'equal', ties: 0 },
    { keys: 6000, temperature: 1, logDecay: 'none', values: 'lambda', order: 'random', ties: 4 },
    // More rows than an axis has workgroups, and eleven levels.
    { keys: 66_001, temperature: 0.001, logDecay: 'walk', values: 'random', order: 'opposite', ties: 0 },
  ] as const)('is chosen for long inputs and stays within 1e-5 of f64: %o', async (given) => {
    using _scope = device.scope()
    const { keys, absent, ...rest } = { absent: 0, ...given }
    const queries = keys - absent
    const sizes = { batch: 1, heads: 1, kvHeads: 1, queries, keys, dim: 5 }
    const spec = { ...PLAIN, ...rest, sizes }
    const numbers = lambdaCase(spec)
    const out = await lambdaAttention(inputsOf(device, spec, numbers).inputs).data()
    const { lambdaQ, lambdaK, v, temperature, logDecay } = numbers
    for (let query = queries - 1; query >= 0; query -= keys > 9000 ? 1997 : 97) {
      const row = { ...sizes, queries: 1, keys: query + absent + 1 }
      const expected = lambdaAttentionReference(
        ...([row, lambdaQ.subarray(query), lambdaK, v, temperature, logDecay] as const),
      )
      const found = out.subarray(query * sizes.dim, (query + 1) * sizes.dim)
      expectNear(found, expected, { atol: 1e-5 * largest(v) })
    }
    expect(engineOf(device).kernelRuns.get('lambdaStats')).toBe(false) // the pass over all pairs
  })

  it('is not available with portable kernels', async () => {
    const portable = await gpu({ mode: 'webgpu', kernels: 'portable' })
    const spec = { ...PLAIN, sizes: { batch: 1, heads: 1, kvHeads: 1, queries: 2, keys: 2, dim: 1 } }
    const { inputs } = inputsOf(portable, spec, lambdaCase(spec))
    expect(() => lambdaAttention({ ...inputs, algorithm: 'sorted' })).toThrow(
      "lambdaAttention: algorithm 'sorted' must run on the cpu backend or on the hand-written kernels of mode webgpu, got gpu webgpu",
    )
    await portable.close()
  })

  it('is chosen for long sequences if the device allows its buffers', () => {
    const sizes = { batch: 1, heads: 6, kvHeads: 6, queries: 4096, keys: 4096, valueDim: 64, decayBatch: 0 }
    const chosen = (other: Partial<typeof sizes>) =>
      prefersMerge(device, { ...sizes, capacity: 0, ...other }, true)
    expect(chosen({})).toBe(true)
    expect(chosen({ keys: 4095, queries: 4095 })).toBe(false)
    expect(chosen({ queries: 1023 })).toBe(false)
    expect(chosen({ heads: 6144, keys: 2 ** 20 })).toBe(false)
    expect(chosen({ heads: 65_536, valueDim: 1 })).toBe(false)
  })

  it.for([16, 17, 33, 47, 141, 4096, 4097, 6145, 65_536, 65_537, 1_000_003])(
    'has one state per chunk and side for the keys that later blocks read: %i keys',
    (keys) => {
      const sizes = {
        batch: 2,
        heads: 3,
        kvHeads: 1,
        queries: keys,
        keys,
        valueDim: 20,
        decayBatch: 0,
        capacity: keys,
      }
      let read = 0
      for (let width = SMALL; width < keys; width *= 2)
        for (let start = 0; start + width < keys; start += 2 * width) read += width
      const ofState = 32 + 4
      expect(statesLength(sizes, SMALL, false)).toBe(2 * 3 * 2 * Math.max(1, read / 16) * ofState)
      // Each level reads half of the keys and at most a part of a block more: two levels' worth at most.
      const { levels } = levelsOf(sizes, SMALL)
      expect(read).toBeLessThanOrEqual((keys * (levels + 2)) / 2)
    },
  )

  it.for([
    { heads: 2, kvHeads: 1, order: 'random', ties: 0 },
    { heads: 1, kvHeads: 1, order: 'clusters', ties: 64 },
  ] as const)('has the gradients of f64 for long inputs: %o', async ({ heads, kvHeads, ...rest }) => {
    using _scope = device.scope()
    const sizes = { batch: 1, heads, kvHeads, queries: 4103, keys: 4103, dim: 3 }
    const spec = { ...PLAIN, ...rest, sizes }
    const numbers = lambdaCase(spec)
    const dOut = Float64Array.from(Float32Array.from(randomArray(heads * 4103 * 3, 72)))
    const weights = device.tensor(dOut, [1, heads, 4103, 3])
    const found = await attend(inputsOf(device, spec, numbers), weights, 'auto')
    const expected = attendReference(spec, numbers, dOut)
    expectClose(found, expected, termSizes(numbers, dOut, 3), { out: 1e-5, grads: 1e-5, floor: 0.01 })
    expect(engineOf(device).kernelRuns.get('lambdaStats')).toBe(false)
  })

  it('keeps the digits of gradients in rows whose weight sits on one key of their own block', async () => {
    using _scope = device.scope()
    const sizes = { batch: 1, heads: 1, kvHeads: 1, queries: 149, keys: 149, dim: 5 }
    const spec = { ...PLAIN, sizes, temperature: 0.5 }
    const numbers = lambdaCase(spec)
    // All other keys together have weight e^-20, so gradients are about 1e-8. A difference of two products
    // would leave errors of 1e-7.
    numbers.logDecay.set(numbers.logDecay.map((_, t) => 20 * t))
    numbers.given.high.set(numbers.logDecay)
    numbers.given.low.fill(0)
    const dOut = Float64Array.from(Float32Array.from(randomArray(149 * 5, 75)))
    const found = await attendSmall(inputsOf(device, spec, numbers), dOut)
    for (const [i, expected] of attendReference(spec, numbers, dOut).entries())
      expectNear(found[i], expected, { atol: 1e-5 * largest(expected) })
  })

  it('lets no later token change a bit of an earlier output or of the gradient of an earlier query', async () => {
    using _scope = device.scope()
    const sizes = { batch: 1, heads: 2, kvHeads: 1, queries: 531, keys: 531, dim: 6 }
    const spec = { ...PLAIN, sizes }
    const numbers = lambdaCase(spec)
    const dOut = randomArray(2 * 531 * 6, 73)
    const before = await attendSmall(inputsOf(device, spec, numbers), dOut)
    for (const changed of [16, 255, 256, 400, 530]) {
      const later = lambdaCase(spec)
      later.lambdaK.fill(0.77, changed)
      later.v.fill(9, changed * sizes.dim)
      for (let h = 0; h < 2; h++) later.lambdaQ.fill(0.3, h * 531 + changed, (h + 1) * 531)
      const after = await attendSmall(inputsOf(device, spec, later), dOut)
      for (let h = 0; h < 2; h++)
        for (const [i, width] of [sizes.dim, 1].entries()) {
          const [start, end, next] = [h * 531, h * 531 + changed, (h + 1) * 531].map((t) => t * width)
          expect(after[i].subarray(start, end)).toEqual(before[i].subarray(start, end))
          expect(after[i].subarray(end, next)).not.toEqual(before[i].subarray(end, next))
        }
    }
  })

  it('gives the same bits when run again, and frees all scratch', async () => {
    using _scope = device.scope()
    const sizes = { batch: 2, heads: 3, kvHeads: 1, queries: 307, keys: 521, dim: 7 }
    const spec = { ...PLAIN, sizes }
    const onDevice = inputsOf(device, spec, lambdaCase(spec))
    const dOut = randomArray(6 * 307 * 7, 74)
    const before = engineOf(device).liveSlots
    const results: Float32Array[][] = []
    for (let i = 0; i < 2; i++) {
      using _inner = device.scope()
      results.push(await attendSmall(onDevice, dOut))
    }
    expect(results[1]).toEqual(results[0])
    expect(engineOf(device).liveSlots).toBe(before)
  })

  const attendTiles = (onDevice: OnDevice, weights: Float32Array) => {
    const [batch, heads, queries] = onDevice.inputs.lambdaQ.shape
    const dOut = device.tensor(weights, [batch, heads, queries, weights.length / (batch * heads * queries)])
    return attend(onDevice, dOut, 'quadratic')
  }

  const spoilt = ['lambdaQ', 'lambdaK', 'v', 'logDecay', 'temperature'] as const
  const ways = { merged: attendSmall, tiles: attendTiles }
  it.for(
    (['merged', 'tiles'] as const).flatMap((way) =>
      [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].flatMap((value) =>
        spoilt.map((where) => ({ way, value, where })),
      ),
    ),
  )(
    '$way: $value in $where changes no bit of another head or of a row that does not see it; rows that see NaN are NaN',
    async ({ way, value, where }) => {
      const length = 141
      const sizes = { batch: 1, heads: 2, kvHeads: 2, queries: length, keys: length, dim: 1 }
      const spec = { ...PLAIN, sizes, temperature: 0.3, parts: false }
      const dOut = new Float32Array(2 * length).fill(1)
      using _scope = device.scope()
      const clean = await ways[way](inputsOf(device, spec, lambdaCase(spec)), dOut)
      for (const at of where === 'temperature' ? [0] : [0, 5, 15, 16, 64, 100, 130, 140]) {
        const numbers = lambdaCase(spec)
        if (where === 'logDecay') numbers.given.high[at] = value
        else numbers[where][at] = value
        const found = await ways[way](inputsOf(device, spec, numbers), dOut)
        const other = (x: Float32Array) => x.subarray(x.length / 2)
        expect(found.map(other), `the other head, ${at}`).toEqual(clean.map(other))
        const [, ...grads] = found
        const sees = (t: number) => (where === 'lambdaQ' ? t === at : t >= at)
        for (let t = 0; t < length; t++)
          for (const i of [0, 1])
            if (!sees(t)) expect(found[i][t], `${i} at ${t}, ${at}`).toBe(clean[i][t])
            else if (Number.isNaN(value)) expect(found[i][t], `${i} at ${t}, ${at}`).toBeNaN()
        if (!Number.isNaN(value)) continue
        expect(grads[3][0]).toBeNaN()
        if (where !== 'v') expect(grads[2].some(Number.isNaN)).toBe(true)
      }
    },
  )

  type Common = 'lambda_q' | 'lambda_k' | 'v' | 'temperature' | 'clock'
  itMatchesOracle<
    Record<Common | 'r', OracleArray>,
    { out: OracleArray; grads: Record<Common, OracleArray> }
  >('attention_clock', async ({ inputs, expected, tolerance }) => {
    using _scope = device.scope()
    const clock = tensorOf(device, inputs.clock, 1)
    const tensors = {
      lambdaQ: tensorOf(device, inputs.lambda_q, 1),
      lambdaK: tensorOf(device, inputs.lambda_k, 1),
      v: tensorOf(device, inputs.v, 1),
      temperature: tensorOf(device, inputs.temperature),
    }
    const [out, lambda_q, lambda_k, v, temperature, dLogDecay] = await attendSmall(
      { inputs: { ...tensors, logDecay: clock }, named: {} },
      inputs.r.data,
    )
    expectOracle({ out }, expected, tolerance)
    expectOracle({ lambda_q, lambda_k, v, temperature, clock: dLogDecay }, expected.grads, tolerance.grads)
  })
})
