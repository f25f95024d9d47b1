import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import type { Tensor } from '../../tensor.ts'
import { mul } from '../binary/binary.ts'
import { sum } from '../reduce/reduce.ts'
import {
  checkBackward,
  checkForward,
  describeKernel,
  evaluate,
  exactly,
  itHasTheSameBits,
  normal,
} from '../testing.ts'
import { embedding } from './embedding.ts'
import { gatherReference, scatterAddReference } from './reference.ts'

const idsOf = (count: number, rows: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => (i * i * 31 + 7) % rows)

const caseOf = (rows: number, width: number, count: number) => {
  const ids = idsOf(count, rows)
  return {
    shapes: [[rows, width]],
    operation: (table: Tensor) => embedding(table, table.device.tensor(ids)),
    reference: (table: Float64Array) => gatherReference(table, ids, width),
    tolerance: {},
  }
}

describeKernel('embedding', (device) => {
  it.each([1, 3, 4, 5, 31, 32, 33, 131])('takes rows of width %i', (width) =>
    checkForward(device(), caseOf(17, width, 29)),
  )

  it.each([0, 1, 3, 1009])('takes %i rows', (count) => checkForward(device(), caseOf(101, 67, count)))

  it('keeps the axes of the ids', () => {
    using _scope = device().scope()
    const table = device().tensor(normal(35, 1), [7, 5])
    expect(embedding(table, device().tensor(new Int32Array(6), [2, 3])).shape).toEqual([2, 3, 5])
    expect(embedding(table, device().tensor(Int32Array.of(3), [])).shape).toEqual([5])
  })

  it('adds the gradients of rows used more than once', async () => {
    await checkBackward(device(), { ...caseOf(5, 3, 11), tolerance: { atol: 1e-6 } }) // sums of ≤ 11 terms of size 1
    await checkBackward(device(), { ...caseOf(3, 17, 7), tolerance: { atol: 1e-6 } })
  })

  it('scatters many rows in their order', async () => {
    const ids = idsOf(1009, 13)
    const weights = normal(1009 * 37, 2)
    const [dTable] = await evaluate(device(), () => {
      const table = device().tensor(new Float32Array(13 * 37), [13, 37])
      const dOut = device().tensor(weights, [1009, 37])
      return grad(() => sum(mul(embedding(table, device().tensor(ids)), dOut)), [table]).grads
    })
    const expected = scatterAddReference(new Float64Array(13 * 37), ids, exactly(weights), 37)
    expectNear(dTable, expected, { atol: 5e-5 }) // about 200 roundings of sums of size 20
  })

  it('gives rows of NaN for ids outside the table, and no gradient for them', async () => {
    const ids = Int32Array.of(1, -1, 3, 2 ** 31 - 1, -(2 ** 31), 0)
    const [out, dTable] = await evaluate(device(), () => {
      const table = device().tensor([1, 2, 3, 4, 5, 6], [3, 2])
      const { value, grads } = grad(() => sum(embedding(table, device().tensor(ids))), [table])
      return [embedding(table, device().tensor(ids)), ...grads, value]
    })
    expect([...out]).toEqual([3, 4, NaN, NaN, NaN, NaN, NaN, NaN, NaN, NaN, 1, 2])
    expect([...dTable]).toEqual([1, 1, 1, 1, 0, 0])
  })

  it('names the shape of a table that is none, and the type of ids', () => {
    using _scope = device().scope()
    const vector = device().tensor([1, 2, 3])
    expect(() => embedding(vector, device().tensor(Int32Array.of(0)))).toThrow(
      'embedding: table must be [rows, width], got [3]',
    )
    const ids: unknown = vector
    expect(() => embedding(vector, ids as Tensor<'i32'>)).toThrow('embedding: ids must be i32, got f32')
  })
})

describe('embedding', () => {
  itHasTheSameBits((device) => {
    const table = device.tensor(normal(211 * 103, 1), [211, 103])
    const ids = device.tensor(idsOf(1009, 211))
    const weights = device.tensor(normal(1009 * 103, 2), [1009, 103])
    const { grads } = grad(() => sum(mul(embedding(table, ids), weights)), [table])
    return [embedding(table, ids), ...grads]
  })
})
