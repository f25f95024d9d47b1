import { cpu, gpu } from '@tau/tensor'
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
import { describe, expect, it } from 'vitest'
import { longDecay, randomDecay, SIZES, splitReadings, uniform } from '../../testing/attention-cases.ts'
import { outAndGrads, tensorOf } from '../../testing/tensors.ts'
import { constantDecay } from '../decay/decay.ts'
import { type LambdaAttentionInputs, lambdaAttention } from './lambda-attention.ts'
import { lambdaAttentionGradReference, lambdaAttentionReference, type ReferenceSizes } from './reference.ts'

type Named<Names extends string> = Record<Names, OracleArray>
type Common = 'lambda_q' | 'lambda_k' | 'v' | 'temperature'

const shapesOf = ({ batch, heads, kvHeads, queries, keys, dim }: ReferenceSizes) => ({
  lambdaQ: [batch, heads, queries],
  lambdaK: [batch, kvHeads, keys],
  v: [batch, kvHeads, keys, dim],
  temperature: [heads],
  logDecay: [batch, heads, keys],
  out: [batch, heads, queries, dim],
})

function inputsOf(sizes: ReferenceSizes, temperature = 0.3): Float64Array[] {
  const { batch, heads, kvHeads, queries, keys, dim } = sizes
  return [
    uniform(batch * heads * queries, 1),
    uniform(batch * kvHeads * keys, 2),
    randomArray(batch * kvHeads * keys * dim, 3),
    Float64Array.from({ length: heads }, (_, h) => temperature * (1 + h)),
    randomDecay(batch * heads, keys, 4),
  ]
}

describeDevices('lambdaAttention', { cpu, gpu }, (device) => {
  const tensors = (sizes: ReferenceSizes, inputs: readonly ArrayLike<number>[]) => {
    const shapes = shapesOf(sizes)
    const [lambdaQ, lambdaK, v, temperature, logDecay] = (
      ['lambdaQ', 'lambdaK', 'v', 'temperature', 'logDecay'] as const
    ).map((name, i) => device().tensor(inputs[i], shapes[name], 'f32'))
    return { lambdaQ, lambdaK, v, temperature, logDecay }
  }

  itMatchesOracle<Named<Common | 'gamma' | 'r'>, { out: OracleArray; grads: Named<Common | 'gamma'> }>(
    'attention',
    async ({ inputs, expected, tolerance }) => {
      using _scope = device().scope()
      const lambdaQ = tensorOf(device(), inputs.lambda_q, 1)
      const lambdaK = tensorOf(device(), inputs.lambda_k, 1)
      const v = tensorOf(device(), inputs.v, 1)
      const temperature = tensorOf(device(), inputs.temperature)
      const gamma = tensorOf(device(), inputs.gamma)
      const { out, grads } = await outAndGrads(
        { lambda_q: lambdaQ, lambda_k: lambdaK, v, temperature, gamma },
        tensorOf(device(), inputs.r, 1),
        () =>
          lambdaAttention({
            lambdaQ,
            lambdaK,
            v,
            temperature,
            logDecay: constantDecay(gamma, lambdaK.shape[2]),
          }),
      )
      expectOracle({ out }, expected, tolerance)
      expectOracle(grads, expected.grads, tolerance.grads)
    },
  )

  itMatchesOracle<Named<Common | 'clock' | 'r'>, { out: OracleArray; grads: Named<Common | 'clock'> }>(
    'attention_clock',
    async ({ inputs, expected, tolerance }) => {
      using _scope = device().scope()
      const lambdaQ = tensorOf(device(), inputs.lambda_q, 1)
      const lambdaK = tensorOf(device(), inputs.lambda_k, 1)
      const v = tensorOf(device(), inputs.v, 1)
      const temperature = tensorOf(device(), inputs.temperature)
      const logDecay = tensorOf(device(), inputs.clock, 1)
      const { out, grads } = await outAndGrads(
        { lambda_q: lambdaQ, lambda_k: lambdaK, v, temperature, clock: logDecay },
        tensorOf(device(), inputs.r, 1),
        () => lambdaAttention({ lambdaQ, lambdaK, v, temperature, logDecay }),
      )
      expectOracle({ out }, expected, tolerance)
      expectOracle(grads, expected.grads, tolerance.grads)
    },
  )

  it.for(SIZES)('is within 3e-6 of the f64 reference for %o', async (sizes) => {
    using _scope = device().scope()
    const inputs = inputsOf(sizes)
    const { logDecay, ...rest } = tensors(sizes, inputs)
    const exact = inputs.map((input) => Float64Array.from(Float32Array.from(input)))
    const [q, k, v, temperature, readings] = exact
    // Exponents up to 20 give the weights a relative error of 1e-6, and weights sum to 1.
    const plain = lambdaAttention(rest)
    expect(plain.shape).toEqual(shapesOf(sizes).out)
    expectNear(await plain.data(), lambdaAttentionReference(sizes, q, k, v, temperature), { atol: 3e-6 })
    const faded = lambdaAttentionReference(sizes, q, k, v, temperature, readings)
    expectNear(await lambdaAttention({ ...rest, logDecay }).data(), faded, { atol: 3e-6 })
    const row = sizes.heads * sizes.keys
    const shared = device().tensor(Float32Array.from(readings.subarray(0, row)), [sizes.heads, sizes.keys])
    expectNear(
      await lambdaAttention({ ...rest, logDecay: shared }).data(),
      lambdaAttentionReference(sizes, q, k, v, temperature, readings.subarray(0, row), true),
      { atol: 3e-6 },
    )
  })

  it.for([
    { batch: 2, heads: 3, kvHeads: 3, queries: 7, keys: 7, dim: 5 },
    { batch: 3, heads: 4, kvHeads: 2, queries: 3, keys: 11, dim: 2 },
  ])('has the gradients of the reference for %o', async (sizes) => {
    await checkGradients({
      inputs: inputsOf(sizes, 0.5),
      reference: (...inputs) =>
        lambdaAttentionReference(sizes, inputs[0], inputs[1], inputs[2], inputs[3], inputs[4]),
      gradients: async (inputs, weights) => {
        using _scope = device().scope()
        const all = tensors(sizes, inputs)
        const { grads } = await outAndGrads(all, device().tensor(weights, shapesOf(sizes).out), () =>
          lambdaAttention(all),
        )
        return [grads.lambdaQ, grads.lambdaK, grads.v, grads.temperature, grads.logDecay]
      },
      tolerance: { atol: 2e-5, rtol: 1e-5 }, // sums of up to 42 terms of size 10
    })
  })

  /** Compares out and the gradients with f64 at the same f32 inputs. The decay is given in two parts. */
  const expectExact = async (
    sizes: ReferenceSizes,
    inputs: readonly Float64Array[],
    tolerance: { out: number; grads: number },
  ) => {
    const [q, k, v, temperature] = inputs.map(roundedTo32)
    const exact = [q, k, v, temperature, inputs[4]]
    const { logDecay: high, ...rest } = tensors(sizes, inputs)
    const low = device().tensor(splitReadings(inputs[4]).low, high.shape)
    const dOut = randomArray(q.length * sizes.dim, 11)
    const named = { ...rest, logDecay: high }
    const { out, grads } = await outAndGrads(named, device().tensor(dOut, shapesOf(sizes).out, 'f32'), () =>
      lambdaAttention({ ...rest, logDecay: { high, low } }),
    )
    const expected = lambdaAttentionReference(sizes, q, k, v, temperature, inputs[4])
    expectNear(out, expected, { atol: tolerance.out })
    const wanted = lambdaAttentionGradReference(sizes, exact, roundedTo32(dOut))
    const [ofQueries, ofKeys, ...others] = wanted.map((x) => Math.max(...x.map(Math.abs)))
    // A query beyond all keys has gradient 0: sums as large as the keys' gradients cancel.
    const gap = Math.max(ofQueries, ofKeys)
    for (const [i, found] of Object.values(grads).entries())
      expectNear(found, wanted[i], { atol: tolerance.grads * [gap, gap, ...others][i] })
    return { expected, rest, high }
  }

  it('is as exact at a decay of a million as at its start, forward and backward', async () => {
    const sizes = { batch: 1, heads: 2, kvHeads: 1, queries: 131, keys: 131, dim: 3 }
    for (const start of [0, 1e6]) {
      using _scope = device().scope()
      const inputs = inputsOf(sizes).with(4, longDecay(sizes.heads, sizes.keys, start))
      const { expected, rest, high } = await expectExact(sizes, inputs, { out: 2e-6, grads: 1e-6 })
      if (start === 0) continue
      // The high parts alone are not exact.
      const rounded = await lambdaAttention({ ...rest, logDecay: high }).data()
      expect(Math.max(...rounded.map((x, i) => Math.abs(x - expected[i])))).toBeGreaterThan(1e-3)
    }
  })

  it.for([
    ['above all keys', (q: number) => 9 + q, (k: number) => k],
    ['below all keys', (q: number) => -8 - q, (k: number) => k],
    ['between them', (q: number) => 0.4999 + q / 5000, (k: number, j: number) => (j % 2) + k / 5000],
  ] as const)('keeps the differences between keys that are far away: queries %s', async ([, query, key]) => {
    using _scope = device().scope()
    const sizes = { batch: 1, heads: 3, kvHeads: 1, queries: 67, keys: 71, dim: 5 }
    const inputs = inputsOf(sizes, 1e-3)
    // Gradients sum a few hundred terms as large as 1 / temperature.
    await expectExact(sizes, inputs.with(0, inputs[0].map(query)).with(1, inputs[1].map(key)), {
      out: 2e-6,
      grads: 3e-6,
    })
  })

  it('sums a shared logDecay over the batch, and the parts of several spans of keys', async () => {
    const sizes = { batch: 2, heads: 1, kvHeads: 1, queries: 5, keys: 521, dim: 2 }
    const [q, k, v, temperature] = inputsOf(sizes)
    await checkGradients({
      inputs: [q, temperature, randomDecay(1, sizes.keys, 7).map((c) => c / 10)],
      reference: (lambdaQ, h, logDecay) =>
        lambdaAttentionReference(sizes, lambdaQ, roundedTo32(k), roundedTo32(v), h, logDecay, true),
      gradients: async ([lambdaQ, h, logDecay], weights) => {
        using _scope = device().scope()
        const fixed = tensors(sizes, [lambdaQ, k, v, h, new Float32Array(2 * sizes.keys)])
        const named = {
          lambdaQ: fixed.lambdaQ,
          temperature: fixed.temperature,
          logDecay: device().tensor(logDecay, [1, sizes.keys]),
        }
        const { grads } = await outAndGrads(named, device().tensor(weights, shapesOf(sizes).out), () =>
          lambdaAttention({ ...fixed, ...named }),
        )
        return [grads.lambdaQ, grads.temperature, grads.logDecay]
      },
      tolerance: { atol: 3e-5, rtol: 1e-5 },
    })
  })

  it('has weights that sum to 1: values of 1 give 1 at any temperature, order and logDecay', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 0.05, 1e-3),
        fc.constantFrom<(t: number) => number>(
          (t) => t / 64,
          (t) => 1 - t / 64,
          () => 0.5,
          (t) => (t * 37) % 1.7,
          (t) => 1e3 * (t % 2),
        ),
        fc.constantFrom(0, 0.1, 40),
        async (temperature, order, rate) => {
          using _scope = device().scope()
          const length = 59
          const lambdaQ = device().tensor(
            Float32Array.from({ length }, (_, t) => order(length - t)),
            [1, 1, length],
          )
          const lambdaK = device().tensor(
            Float32Array.from({ length }, (_, t) => order(t)),
            [1, 1, length],
          )
          const out = lambdaAttention({
            lambdaQ,
            lambdaK,
            v: device().tensor(new Float32Array(length * 2).fill(1), [1, 1, length, 2]),
            temperature: device().tensor([temperature]),
            logDecay: constantDecay(device().tensor([rate]), length),
          })
          expectNear(await out.data(), new Float64Array(length * 2).fill(1), { atol: 1e-6 })
        },
      ),
      { seed: 2, numRuns: 40 },
    )
  })

  it('lets no later token change an earlier output', async () => {
    using _scope = device().scope()
    const sizes = { batch: 1, heads: 2, kvHeads: 1, queries: 71, keys: 71, dim: 3 }
    const inputs = inputsOf(sizes).map((input) => Float32Array.from(input))
    const before = await lambdaAttention(tensors(sizes, inputs)).data()
    const changed = 50
    const [, lambdaK, v, , logDecay] = inputs
    lambdaK.fill(0.77, changed)
    v.fill(9, changed * sizes.dim)
    for (let h = 0; h < 2; h++) logDecay.fill(99, h * sizes.keys + changed, (h + 1) * sizes.keys)
    const after = await lambdaAttention(tensors(sizes, inputs)).data()
    for (let h = 0; h < 2; h++) {
      const head = h * sizes.keys * sizes.dim
      const early = [head, head + changed * sizes.dim] as const
      expect(after.subarray(...early)).toEqual(before.subarray(...early))
      expect(after.subarray(early[1], head + sizes.keys * sizes.dim)).not.toEqual(
        before.subarray(early[1], head + sizes.keys * sizes.dim),
      )
    }
  })

  it('passes NaN on to the rows that see it, and only to those', async () => {
    using _scope = device().scope()
    const sizes = { batch: 1, heads: 1, kvHeads: 1, queries: 5, keys: 5, dim: 1 }
    const inputs = inputsOf(sizes).map((input) => Float32Array.from(input))
    inputs[1][3] = Number.NaN
    const out = await lambdaAttention(tensors(sizes, inputs)).data()
    expect(Array.from(out, Number.isNaN)).toEqual([false, false, false, true, true])
  })

  it('refuses shapes that disagree, and quotes the values', () => {
    using _scope = device().scope()
    const sizes = { batch: 2, heads: 3, kvHeads: 3, queries: 5, keys: 7, dim: 2 }
    const good = tensors(sizes, inputsOf(sizes))
    const empty = (...shape: number[]) => device().empty(shape)
    const cases: [Partial<LambdaAttentionInputs>, string][] = [
      [
        { lambdaQ: empty(2, 3) },
        'lambdaQ must be [B, H, Tq] and lambdaK [B, Hkv, Tk], got [2, 3] and [2, 3, 7]',
      ],
      [
        { v: empty(2, 3, 7) },
        'v must be [B, Hkv, Tk, D], got lambdaQ [2, 3, 5], lambdaK [2, 3, 7], v [2, 3, 7]',
      ],
      [{ v: empty(2, 3, 6, 2) }, 'batches, kv heads and lengths of keys and values must be equal, got'],
      [{ lambdaQ: empty(2, 4, 5) }, 'query heads must be a multiple of kv heads, got lambdaQ [2, 4, 5]'],
      [
        { lambdaQ: empty(2, 3, 8) },
        'Tq must be at most Tk, because queries are the newest positions, got lambdaQ [2, 3, 8]',
      ],
      [{ temperature: empty(2) }, 'temperature must be [H] with H 3 query heads, got [2]'],
      [
        { logDecay: { high: empty(2, 3, 7), low: empty(3, 7) } },
        'logDecay must be [B, H, Tk] = [2, 3, 7] or [H, Tk], got [2, 3, 7] and a low part of [3, 7]',
      ],
      [{ logDecay: empty(2, 3, 5) }, 'logDecay must be [B, H, Tk] = [2, 3, 7] or [H, Tk], got [2, 3, 5]'],
    ]
    for (const [bad, message] of cases)
      expect(() => lambdaAttention({ ...good, ...bad })).toThrow(`lambdaAttention: ${message}`)
  })
})

const roundedTo32 = (values: Float64Array) => Float64Array.from(Float32Array.from(values))

describe('lambdaAttention on threads', () => {
  it('gives the same bits with 1, 2 and 3 threads', async () => {
    const sizes = { batch: 1, heads: 4, kvHeads: 2, queries: 307, keys: 521, dim: 19 }
    const shapes = shapesOf(sizes)
    const inputs = inputsOf(sizes, 0.01)
    const results: Float32Array[][] = []
    for (const threads of [1, 2, 3]) {
      const device = await cpu({ threads })
      const [lambdaQ, lambdaK, v, temperature, logDecay] = (
        ['lambdaQ', 'lambdaK', 'v', 'temperature', 'logDecay'] as const
      ).map((name, i) => device.tensor(inputs[i], shapes[name], 'f32'))
      const named = { lambdaQ, lambdaK, v, temperature, logDecay }
      const weights = device.tensor(randomArray(4 * 307 * 19, 9), shapes.out)
      const { out, grads } = await outAndGrads(named, weights, () => lambdaAttention(named))
      results.push([out, ...Object.values(grads)])
      await device.close()
    }
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })
})
