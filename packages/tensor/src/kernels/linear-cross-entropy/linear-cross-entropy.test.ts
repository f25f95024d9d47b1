import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import type { Device } from '../../device.ts'
import type { Tensor } from '../../tensor.ts'
import { mul } from '../binary/binary.ts'
import { clamp } from '../clamp/clamp.ts'
import { crossEntropy, IGNORE_INDEX } from '../cross-entropy/cross-entropy.ts'
import { matmul } from '../matmul/matmul.ts'
import { softcap } from '../softcap/softcap.ts'
import {
  checkBackward,
  checkForward,
  describeKernel,
  evaluate,
  exactly,
  itHasTheSameBits,
  normal,
} from '../testing.ts'
import { chunkRows } from './chunk.ts'
import { type LogitOptions, linearCrossEntropy, linearCrossEntropyInChunks } from './linear-cross-entropy.ts'
import { linearCrossEntropyReference } from './reference.ts'

/** The composed form of the fused operation. */
function composed(x: Tensor, weight: Tensor, targets: Tensor<'i32'>, options: LogitOptions): Tensor {
  const { clamp: limit = Number.POSITIVE_INFINITY, softcap: cap = null } = options
  const logits = clamp(matmul(x, weight, 'nt'), -limit, limit)
  return crossEntropy(cap === null ? logits : softcap(logits, cap), targets)
}

/** Targets spread over the classes, every fourth row ignored. */
const targetsOf = (rows: number, cols: number): Int32Array =>
  Int32Array.from({ length: rows }, (_, i) => (i % 4 === 3 ? IGNORE_INDEX : (i * 7919) % cols))

const normalTimes = (length: number, seed: number, factor: number): Float32Array =>
  normal(length, seed).map((value) => factor * value)

const caseOf = (rows: number, cols: number, width: number, options: LogitOptions, size = 1) => {
  const targets = targetsOf(rows, cols)
  return {
    shapes: [
      [rows, width],
      [cols, width],
    ],
    inputs: [normalTimes(rows * width, 1, size), normalTimes(cols * width, 2, size)],
    operation: (x: Tensor, weight: Tensor) =>
      linearCrossEntropy(x, weight, x.device.tensor(targets), options),
    reference: (x: Float64Array, weight: Float64Array) =>
      Float64Array.of(linearCrossEntropyReference(x, weight, targets, { width, cols, ...options })),
    tolerance: { atol: 1e-6, rtol: 1e-6 },
  }
}

/** Loss and gradients of x [rows, 13] and weight [cols, 13]. */
const results = (
  device: Device,
  values: readonly Float32Array[],
  targets: Int32Array,
  options: LogitOptions,
) => {
  const [x, weight] = values.map((array) => device.tensor(array, [array.length / 13, 13]))
  return (op: typeof composed): Tensor[] => {
    const { value, grads } = grad(() => op(x, weight, device.tensor(targets), options), [x, weight])
    return [value, ...grads]
  }
}

const OPTIONS: LogitOptions[] = [
  {},
  { clamp: 4 },
  { softcap: 3 },
  { clamp: 5, softcap: 3 },
  { clamp: 50, softcap: 15 },
  { clamp: 60, softcap: 55 },
]
const textOf = ({ clamp: limit, softcap: cap }: LogitOptions): string => `clamp ${limit}, softcap ${cap}`

describeKernel('linearCrossEntropy', (device, name) => {
  it.each([1, 3, 4, 5, 31, 32, 33, 1009])('is the mean over 13 rows of %i classes', async (cols) => {
    for (const options of OPTIONS) await checkForward(device(), caseOf(13, cols, 7, options))
  })

  it.each([1, 2, 3, 257])('is the mean over %i rows', (rows) =>
    checkForward(device(), caseOf(rows, 131, 5, { clamp: 50, softcap: 15 })),
  )

  it.each(OPTIONS.map((options): [string, LogitOptions] => [textOf(options), options]))(
    'has the gradients of the reference, %s',
    async (_, options) => {
      for (const [rows, cols, width] of [
        [1, 5, 3],
        [7, 13, 5],
        [5, 37, 11],
      ])
        await checkBackward(device(), {
          ...caseOf(rows, cols, width, options, 0.9),
          tolerance: { atol: 2e-6, rtol: 5e-6 },
        })
    },
  )

  it.each(OPTIONS.map((options): [string, LogitOptions] => [textOf(options), options]))(
    'equals the composed operations for large logits, some beyond the clamp, %s',
    async (_, options) => {
      const values = [normalTimes(29 * 13, 3, 4), normalTimes(101 * 13, 4, 4)]
      const found = await evaluate(device(), () => {
        const of = results(device(), values, targetsOf(29, 101), options)
        return [...of(linearCrossEntropy), ...of(composed)]
      })
      for (const i of [0, 1, 2]) expectNear(found[i], exactly(found[i + 3]), { atol: 1e-5, rtol: 1e-5 }) // logits near 200 are rounded by 1e-5
    },
  )

  it('takes chunks of tokens, the last one shorter, and sums over all of them', async () => {
    const values = [normal(45 * 13, 3), normal(101 * 13, 4)]
    const chunked: typeof composed = (...args) => linearCrossEntropyInChunks(16, ...args)
    const found = await evaluate(device(), () => {
      const of = results(device(), values, targetsOf(45, 101), { clamp: 50, softcap: 5 })
      return [...of(chunked), ...of(composed)]
    })
    expectNear(found[0], exactly(found[3]), { rtol: 1e-6 })
    for (const i of [1, 2]) expectNear(found[i], exactly(found[i + 3]), { atol: 1e-7, rtol: 1e-5 }) // of 0.03
  })

  it('makes the gradients that are wanted, times that of the loss, and no others', async () => {
    const targets = targetsOf(5, 7)
    const [[loss], [again], ...grads] = await evaluate(device(), () => {
      const x = device().tensor(normal(15, 1), [5, 3])
      const weight = device().tensor(normal(21, 2), [7, 3])
      const ids = device().tensor(targets)
      const f = () => linearCrossEntropy(x, weight, ids, { clamp: 2 })
      const both = grad(f, [x, weight])
      return [
        both.value,
        f(),
        ...both.grads,
        ...grad(f, [x]).grads,
        ...grad(f, [weight]).grads,
        ...grad(() => mul(f(), 3), [x, weight]).grads,
      ]
    })
    expect(again).toBe(loss)
    expect(grads.slice(2, 4)).toEqual(grads.slice(0, 2))
    for (const i of [0, 1])
      expectNear(
        grads[4 + i],
        exactly(grads[i]).map((value) => 3 * value),
        { rtol: 2e-7 },
      )
  })

  it('gives no gradient beyond the clamp, one on it, and none for ignored tokens', async () => {
    const targets = Int32Array.of(0, 1, IGNORE_INDEX)
    const [dX] = await evaluate(device(), () => {
      const x = device().tensor([2, -2.5, 1], [3, 1])
      const weight = device().tensor([1, 0.5], [2, 1])
      return grad(() => linearCrossEntropy(x, weight, device().tensor(targets), { clamp: 2 }), [x]).grads
    })
    // Logits (2, 1): the first is at the clamp. Logits (−2.5, −1.25): the first is beyond it and counts as
    // −2.
    expectNear(dX, [-0.25 / (1 + Math.E), -0.25 / (1 + Math.exp(0.75)), 0], { rtol: 1e-6 })
  })

  it('is 0 without a token to count, with gradient 0', async () => {
    const found = await evaluate(device(), () => {
      const weight = device().tensor(normal(6, 1), [2, 3])
      return [Int32Array.of(-1, -100), new Int32Array(0)].flatMap((targets) => {
        const x = device().tensor(normal(3 * targets.length, 2), [targets.length, 3])
        const { value, grads } = grad(
          () => linearCrossEntropy(x, weight, device().tensor(targets)),
          [x, weight],
        )
        return [value, ...grads]
      })
    })
    for (const values of found) expect([...values]).toEqual(Array.from(values, () => 0))
  })

  it('is NaN for a target beyond the classes or a NaN in the logits, never a number', async () => {
    const found = await evaluate(device(), () =>
      OPTIONS.flatMap((options) => {
        const weight = device().tensor(normal(15, 1), [5, 3])
        const [good, bad] = [normal(6, 2), normal(6, 2)]
        bad[4] = NaN
        const loss = (x: Float32Array, ...targets: number[]) =>
          linearCrossEntropy(
            device().tensor(x, [2, 3]),
            weight,
            device().tensor(Int32Array.from(targets)),
            options,
          )
        return [loss(good, 0, 5), loss(bad, 0, 1)]
      }),
    )
    expect(found.map(([loss]) => loss)).toEqual(Array.from(found, () => NaN))
  })

  it('takes leading axes, and keeps nothing but the loss when nothing is recorded', async () => {
    using scope = device().scope()
    const x = device().tensor(normal(30, 1), [2, 3, 5])
    const weight = device().tensor(normal(35, 2), [7, 5])
    const targets = device().tensor(Int32Array.of(0, 1, 2, 3, 4, -1), [2, 3])
    const before = device().memory.liveBuffers
    const loss = scope.keep(linearCrossEntropy(x, weight, targets))
    expect(device().memory.liveBuffers - before).toBe(1)
    const [a, b] = [exactly(normal(30, 1)), exactly(normal(35, 2))]
    const expected = linearCrossEntropyReference(a, b, [0, 1, 2, 3, 4, -1], { width: 5, cols: 7 })
    const value = loss.item()
    loss.dispose()
    expectNear([await value], [expected], { rtol: 1e-6 })
  })

  // Millions of logits take seconds where gpu.js runs without a GPU, or on one in software.
  if (name.startsWith('cpu'))
    it('takes chunks of as many tokens as fit in memory', async () => {
      const [rows, cols] = [389, 31_253]
      expect(chunkRows(cols)).toBe(376)
      const values = [normal(rows * 13, 3), normal(cols * 13, 4)]
      const found = await evaluate(device(), () => {
        const of = results(device(), values, targetsOf(rows, cols), { clamp: 50, softcap: 5 })
        return [...of(linearCrossEntropy), ...of(composed)]
      })
      expectNear(found[0], exactly(found[3]), { rtol: 1e-6 })
      expectNear(found[1], exactly(found[4]), { atol: 2e-7 }) // of 5e-3, f32 sums of 31 253 products
      expectNear(found[2], exactly(found[5]), { atol: 1e-8, rtol: 1e-5 }) // of 8e-3
    })

  it('names shapes, types and ranges that do not fit', () => {
    using _scope = device().scope()
    const x = device().tensor(normal(15, 1), [3, 5])
    const weight = device().tensor(normal(35, 1), [7, 5])
    const targets = device().tensor(new Int32Array(3))
    expect(() => linearCrossEntropy(x, x.view([5, 3]), targets)).toThrow(
      'linearCrossEntropy: weight must be [classes, 5] for x [3, 5], got [5, 3]',
    )
    expect(() => linearCrossEntropy(x, weight, device().tensor(new Int32Array(5)))).toThrow(
      'linearCrossEntropy: targets must have the shape of x without the last axis, got [5] for [3, 5]',
    )
    const floats: unknown = device().tensor([0, 1, 2])
    expect(() => linearCrossEntropy(x, weight, floats as Tensor<'i32'>)).toThrow(
      'targets must be i32, got f32',
    )
    for (const limit of [0, -1, NaN])
      expect(() => linearCrossEntropy(x, weight, targets, { clamp: limit })).toThrow(
        `linearCrossEntropy: clamp must be above 0, got ${limit}`,
      )
    for (const cap of [0, -1, NaN, Infinity])
      expect(() => linearCrossEntropy(x, weight, targets, { softcap: cap })).toThrow(
        `linearCrossEntropy: softcap must be a finite number above 0, or null for none, got ${cap}`,
      )
  })
})

describe('linearCrossEntropy', () => {
  it('holds as many tokens as fit, in whole panels where there is room for one', () => {
    expect([1, 997, 30_522, 31_250, 31_251, 2_000_000].map(chunkRows)).toEqual([
      12_000_000, 11_904, 384, 384, 376, 8,
    ])
  })

  itHasTheSameBits((device) => {
    const x = device.tensor(normal(401 * 13, 1), [401, 13])
    const weight = device.tensor(normal(31_253 * 13, 2), [31_253, 13])
    const targets = device.tensor(targetsOf(401, 31_253))
    const { value, grads } = grad(
      () => linearCrossEntropy(x, weight, targets, { clamp: 6, softcap: 4 }),
      [x, weight],
    )
    return [value, ...grads]
  })
})
