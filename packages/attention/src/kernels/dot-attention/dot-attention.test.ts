import { cpu, gpu, type Tensor } from '@tau/tensor'
import { checkGradients, describeDevices, expectNear, randomArray } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { longDecay, randomDecay, SIZES, splitReadings } from '../../testing/attention-cases.ts'
import { outAndGrads } from '../../testing/tensors.ts'
import type { ReferenceSizes } from '../lambda-attention/reference.ts'
import { dotAttention } from './dot-attention.ts'
import { dotAttentionReference } from './reference.ts'

type Sizes = ReferenceSizes & { readonly keyDim: number; readonly window?: number }

const shapesOf = ({ batch, heads, kvHeads, queries, keys, dim, keyDim }: Sizes) => ({
  q: [batch, heads, queries, keyDim],
  k: [batch, kvHeads, keys, keyDim],
  v: [batch, kvHeads, keys, dim],
  logDecay: [batch, heads, keys],
  out: [batch, heads, queries, dim],
})

const inputsOf = ({ batch, heads, kvHeads, queries, keys, dim, keyDim }: Sizes): Float64Array[] => [
  randomArray(batch * heads * queries * keyDim, 1).map((x) => 1.5 * x),
  randomArray(batch * kvHeads * keys * keyDim, 2).map((x) => 1.5 * x),
  randomArray(batch * kvHeads * keys * dim, 3),
  randomDecay(batch * heads, keys, 4),
]

const rounded = (inputs: Float64Array[]) => inputs.map((x) => Float64Array.from(Float32Array.from(x)))

describeDevices('dotAttention', { cpu, gpu }, (device) => {
  const tensors = (sizes: Sizes, inputs: readonly ArrayLike<number>[]) => {
    const shapes = shapesOf(sizes)
    const [q, k, v, logDecay] = (['q', 'k', 'v', 'logDecay'] as const).map((name, i) =>
      device().tensor(inputs[i], shapes[name], 'f32'),
    )
    return { q, k, v, logDecay }
  }

  it.for(SIZES.map((sizes, i) => ({ ...sizes, keyDim: [1, 13, 7, 2, 29][i] })))(
    'is within 3e-6 of the f64 reference for %o',
    async (sizes) => {
      using _scope = device().scope()
      const inputs = inputsOf(sizes)
      const [q, k, v, readings] = rounded(inputs)
      const { logDecay, ...rest } = tensors(sizes, inputs)
      const plain = dotAttention(rest)
      expect(plain.shape).toEqual(shapesOf(sizes).out)
      // Scores up to 10 give the weights a relative error of 1e-6, and weights sum to 1.
      expectNear(await plain.data(), dotAttentionReference(sizes, q, k, v), { atol: 3e-6 })
      const faded = dotAttentionReference(sizes, q, k, v, readings)
      expectNear(await dotAttention({ ...rest, logDecay }).data(), faded, { atol: 3e-6 })
    },
  )

  // A block holds 64 keys. With 66 keys the first queries do not see the second block. 83 columns are
  // 64 + 16 + 3.
  it.for(
    [1, 2, 4, 5].flatMap((queries) =>
      [
        { keys: queries, dim: 2, keyDim: 3 },
        { keys: 13, dim: 16, keyDim: 1 },
        { keys: 64, dim: 67, keyDim: 64 },
        { keys: 66, dim: 83, keyDim: 31 },
        { keys: 197, dim: 64, keyDim: 83 },
      ].map((sizes) => ({ batch: 2, heads: 4, kvHeads: 2, queries, ...sizes })),
    ),
  )('is within 3e-6 of the f64 reference for few queries, late in a long decay: %o', async (sizes) => {
    using _scope = device().scope()
    const inputs = inputsOf(sizes).with(3, longDecay(sizes.batch * sizes.heads, sizes.keys, 1e6))
    const [q, k, v] = rounded(inputs)
    const { logDecay: high, ...rest } = tensors(sizes, inputs)
    const low = device().tensor(splitReadings(inputs[3]).low, high.shape)
    const plain = await dotAttention(rest).data()
    expectNear(plain, dotAttentionReference(sizes, q, k, v), { atol: 3e-6 })
    const faded = await dotAttention({ ...rest, logDecay: { high, low } }).data()
    expectNear(faded, dotAttentionReference(sizes, q, k, v, inputs[3]), { atol: 3e-6 })
  })

  it.for([
    { batch: 2, heads: 3, kvHeads: 3, queries: 7, keys: 7, dim: 5, keyDim: 2 },
    { batch: 3, heads: 4, kvHeads: 2, queries: 3, keys: 11, dim: 2, keyDim: 5 },
    { batch: 2, heads: 4, kvHeads: 2, queries: 5, keys: 11, dim: 2, keyDim: 3 },
  ])('has the gradients of the reference for %o', async (sizes) => {
    await checkGradients({
      inputs: inputsOf(sizes),
      reference: (q, k, v, logDecay) => dotAttentionReference(sizes, q, k, v, logDecay),
      gradients: async (inputs, weights) => {
        using _scope = device().scope()
        const all = tensors(sizes, inputs)
        const { grads } = await outAndGrads(all, device().tensor(weights, shapesOf(sizes).out), () =>
          dotAttention(all),
        )
        return [grads.q, grads.k, grads.v, grads.logDecay]
      },
      tolerance: { atol: 1e-5, rtol: 1e-5 },
    })
  })

  // Windows of one key, within a block of 64 keys, of a whole block, across blocks, and of all keys but the
  // oldest. Blocks have 48 queries.
  it.for([
    { batch: 2, heads: 3, kvHeads: 3, queries: 7, keys: 7, dim: 5, keyDim: 3, window: 1 },
    { batch: 1, heads: 4, kvHeads: 2, queries: 197, keys: 197, dim: 19, keyDim: 7, window: 13 },
    { batch: 1, heads: 2, kvHeads: 1, queries: 131, keys: 197, dim: 5, keyDim: 16, window: 64 },
    { batch: 1, heads: 2, kvHeads: 2, queries: 197, keys: 331, dim: 3, keyDim: 5, window: 97 },
    { batch: 1, heads: 2, kvHeads: 1, queries: 83, keys: 83, dim: 2, keyDim: 3, window: 82 },
    { batch: 2, heads: 4, kvHeads: 2, queries: 1, keys: 197, dim: 67, keyDim: 31, window: 65 },
    { batch: 1, heads: 2, kvHeads: 1, queries: 4, keys: 331, dim: 16, keyDim: 13, window: 3 },
  ])('within a window is within 3e-6 of the f64 reference for %o', async (sizes) => {
    using _scope = device().scope()
    const inputs = inputsOf(sizes).with(3, longDecay(sizes.batch * sizes.heads, sizes.keys, 1e6))
    const [q, k, v] = rounded(inputs)
    const { logDecay: high, ...rest } = tensors(sizes, inputs)
    const low = device().tensor(splitReadings(inputs[3]).low, high.shape)
    const { window } = sizes
    const plain = await dotAttention({ ...rest, window }).data()
    expectNear(plain, dotAttentionReference(sizes, q, k, v), { atol: 3e-6 })
    const faded = await dotAttention({ ...rest, window, logDecay: { high, low } }).data()
    expectNear(faded, dotAttentionReference(sizes, q, k, v, inputs[3]), { atol: 3e-6 })
  })

  it.for([
    { batch: 2, heads: 3, kvHeads: 3, queries: 7, keys: 7, dim: 5, keyDim: 2, window: 3 },
    { batch: 1, heads: 2, kvHeads: 1, queries: 67, keys: 71, dim: 2, keyDim: 3, window: 5 },
  ])('within a window has the gradients of the reference for %o', async (sizes) => {
    await checkGradients({
      inputs: inputsOf(sizes),
      reference: (q, k, v, logDecay) => dotAttentionReference(sizes, q, k, v, logDecay),
      gradients: async (inputs, weights) => {
        using _scope = device().scope()
        const all = tensors(sizes, inputs)
        const { grads } = await outAndGrads(all, device().tensor(weights, shapesOf(sizes).out), () =>
          dotAttention({ ...all, window: sizes.window }),
        )
        return [grads.q, grads.k, grads.v, grads.logDecay]
      },
      tolerance: { atol: 1e-5, rtol: 1e-5 },
    })
  })

  it('gives the same bits with a window of all keys as without one', async () => {
    const sizes = { batch: 1, heads: 2, kvHeads: 1, queries: 131, keys: 131, dim: 5, keyDim: 7 }
    const results: Float32Array[][] = []
    for (const window of [undefined, 131, 1000]) {
      using _scope = device().scope()
      const all = tensors(sizes, inputsOf(sizes))
      const weights = device().tensor(randomArray(2 * 131 * 5, 9), shapesOf(sizes).out)
      const { out, grads } = await outAndGrads(all, weights, () => dotAttention({ ...all, window }))
      results.push([out, ...Object.values(grads)])
    }
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  it('is as exact at a decay of a million as at its start, forward and backward', async () => {
    using _scope = device().scope()
    const sizes = { batch: 1, heads: 2, kvHeads: 1, queries: 131, keys: 131, dim: 3, keyDim: 2 }
    const inputs = inputsOf(sizes)
    const results: Float32Array[][] = []
    for (const start of [0, 1e6]) {
      const logDecay = longDecay(sizes.heads, sizes.keys, start)
      const { logDecay: high, ...rest } = tensors(sizes, inputs.with(3, logDecay))
      const low = device().tensor(splitReadings(logDecay).low, high.shape)
      const weights = device().tensor(randomArray(inputs[2].length * 2, 5), shapesOf(sizes).out)
      const { out, grads } = await outAndGrads({ ...rest, logDecay: high }, weights, () =>
        dotAttention({ ...rest, logDecay: { high, low } }),
      )
      const [q, k, v] = rounded(inputs)
      expectNear(out, dotAttentionReference(sizes, q, k, v, logDecay), { atol: 2e-6 })
      results.push(Object.values(grads))
    }
    for (const [i, late] of results[1].entries())
      expectNear(late, Float64Array.from(results[0][i]), { atol: 2e-5 })
  })

  it('sums the parts of several spans of keys', async () => {
    const sizes = { batch: 1, heads: 2, kvHeads: 1, queries: 3, keys: 521, dim: 2, keyDim: 5 }
    const [q, k, v] = inputsOf(sizes)
    await checkGradients({
      inputs: [q],
      reference: (x) => dotAttentionReference(sizes, x, ...(rounded([k, v]) as [Float64Array, Float64Array])),
      gradients: async ([x], weights) => {
        using _scope = device().scope()
        const all = tensors(sizes, [x, k, v, new Float32Array(2 * sizes.keys)])
        const { grads } = await outAndGrads({ q: all.q }, device().tensor(weights, shapesOf(sizes).out), () =>
          dotAttention(all),
        )
        return [grads.q]
      },
      tolerance: { atol: 1e-5 },
    })
  })

  it('has weights that sum to 1 for scores of any size, and ignores a constant added to a row', async () => {
    using _scope = device().scope()
    const sizes = { batch: 1, heads: 1, kvHeads: 1, queries: 61, keys: 61, dim: 3, keyDim: 2 }
    const [q, k, v] = inputsOf(sizes)
    const ones = new Float32Array(v.length).fill(1)
    for (const factor of [0, 1, 1e3]) {
      const big = tensors(sizes, [q.map((x) => x * factor), k, ones, new Float32Array(sizes.keys)])
      expectNear(await dotAttention(big).data(), new Float64Array(v.length).fill(1), { atol: 1e-6 })
    }
    const even = tensors(sizes, [q, k, v, new Float32Array(sizes.keys)])
    const late = tensors(sizes, [q, k, v, new Float32Array(sizes.keys).fill(64)])
    expectNear(await dotAttention(late).data(), await dotAttention(even).data(), { atol: 1e-6 })
  })

  it('lets no later token change an earlier output', async () => {
    using _scope = device().scope()
    const sizes = { batch: 1, heads: 1, kvHeads: 1, queries: 71, keys: 71, dim: 3, keyDim: 2 }
    const inputs = inputsOf(sizes).map((x) => Float32Array.from(x))
    const before = await dotAttention(tensors(sizes, inputs)).data()
    const changed = 50
    inputs[1].fill(7, changed * sizes.keyDim)
    inputs[2].fill(9, changed * sizes.dim)
    const after = await dotAttention(tensors(sizes, inputs)).data()
    const early = changed * sizes.dim
    expect(after.subarray(0, early)).toEqual(before.subarray(0, early))
    expect(after.subarray(early)).not.toEqual(before.subarray(early))
  })

  it('refuses shapes that disagree, and quotes the values', () => {
    using _scope = device().scope()
    const sizes = { batch: 2, heads: 3, kvHeads: 3, queries: 5, keys: 7, dim: 2, keyDim: 4 }
    const good = tensors(sizes, inputsOf(sizes))
    const empty = (...shape: number[]) => device().empty(shape)
    const cases: [Partial<Record<keyof typeof good, Tensor>>, string][] = [
      [
        { q: empty(2, 3, 5, 3) },
        'q must be [B, H, Tq, D] and k [B, Hkv, Tk, D] with equal D, got [2, 3, 5, 3] and [2, 3, 7, 4]',
      ],
      [
        { v: empty(1, 3, 7, 2) },
        'batches, kv heads and lengths of keys and values must be equal, got q [2, 3, 5, 4]',
      ],
      [
        { q: empty(2, 3, 9, 4) },
        'Tq must be at most Tk, because queries are the newest positions, got q [2, 3, 9, 4]',
      ],
      [{ logDecay: empty(7) }, 'logDecay must be [B, H, Tk] = [2, 3, 7] or [H, Tk], got [7]'],
      [{ v: empty(2, 3, 7, 2049) }, 'v must have vectors of 1 to 2048 elements, got 2049'],
      [{ v: empty(2, 3, 7, 0) }, 'v must have vectors of 1 to 2048 elements, got 0'],
      [{ q: empty(2, 3, 5, 0), k: empty(2, 3, 7, 0) }, 'q must have vectors of 1 to 2048 elements, got 0'],
    ]
    for (const [bad, message] of cases)
      expect(() => dotAttention({ ...good, ...bad })).toThrow(`dotAttention: ${message}`)
    for (const window of [0, 1.5, Number.NaN])
      expect(() => dotAttention({ ...good, window })).toThrow(
        `dotAttention: window must be a whole number of at least 1, or Infinity, got ${window}`,
      )
  })
})

describe('dotAttention of few queries on the cpu', () => {
  it('ignores NaN in later tokens, and passes on NaN in tokens that it sees', async () => {
    const device = await cpu({ threads: 1 })
    const sizes = { batch: 1, heads: 1, kvHeads: 1, queries: 4, keys: 66, dim: 19, keyDim: 5 }
    const shapes = shapesOf(sizes)
    const attend = async (inputs: Float32Array[]) => {
      const [q, k, v] = (['q', 'k', 'v'] as const).map((name, i) => device.tensor(inputs[i], shapes[name]))
      return dotAttention({ q, k, v }).data()
    }
    const inputs = inputsOf(sizes).map((x) => Float32Array.from(x))
    const before = await attend(inputs)
    inputs[1].fill(Number.NaN, 65 * sizes.keyDim)
    inputs[2].fill(Number.NaN, 65 * sizes.dim)
    const after = await attend(inputs)
    expect(after.subarray(0, 3 * sizes.dim)).toEqual(before.subarray(0, 3 * sizes.dim))
    expect(after.subarray(3 * sizes.dim)).toEqual(new Float32Array(sizes.dim).fill(Number.NaN))
    await device.close()
  })
})

describe('dotAttention on threads', () => {
  it.for([
    [307, undefined],
    [3, undefined],
    [307, 100],
  ])(
    'gives the same bits with 1, 2 and 3 threads for %i queries in a window of %s',
    async ([queries, window]) => {
      const sizes = {
        batch: 1,
        heads: 4,
        kvHeads: 2,
        queries: Number(queries),
        keys: 521,
        dim: 19,
        keyDim: 23,
      }
      const shapes = shapesOf(sizes)
      const inputs = inputsOf(sizes)
      const results: Float32Array[][] = []
      for (const threads of [1, 2, 3]) {
        const device = await cpu({ threads })
        const [q, k, v, logDecay] = (['q', 'k', 'v', 'logDecay'] as const).map((name, i) =>
          device.tensor(inputs[i], shapes[name], 'f32'),
        )
        const weights = device.tensor(randomArray(4 * sizes.queries * 19, 9), shapes.out)
        const named = { q, k, v, logDecay }
        const { out, grads } = await outAndGrads(named, weights, () => dotAttention({ ...named, window }))
        results.push([out, ...Object.values(grads)])
        await device.close()
      }
      expect(results[1]).toEqual(results[0])
      expect(results[2]).toEqual(results[0])
    },
  )
})
