import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import type { Tensor } from '../../tensor.ts'
import {
  checkBackward,
  checkForward,
  describeKernel,
  evaluate,
  exactly,
  itHasTheSameBits,
  normal,
} from '../testing.ts'
import { crossEntropy, IGNORE_INDEX } from './cross-entropy.ts'
import { crossEntropyReference } from './reference.ts'

/** Targets spread over the classes, every fourth row ignored. */
const targetsOf = (rows: number, cols: number): Int32Array =>
  Int32Array.from({ length: rows }, (_, i) => (i % 4 === 3 ? IGNORE_INDEX : (i * 7919) % cols))

const caseOf = (rows: number, cols: number) => {
  const targets = targetsOf(rows, cols)
  return {
    shapes: [[rows, cols]],
    operation: (logits: Tensor) => crossEntropy(logits, logits.device.tensor(targets)),
    reference: (logits: Float64Array) => Float64Array.of(crossEntropyReference(logits, targets, cols)),
    tolerance: { rtol: 5e-7 },
  }
}

describeKernel('crossEntropy', (device) => {
  it.each([1, 3, 4, 5, 31, 32, 33, 1009])('is the mean over 13 rows of %i classes', (cols) =>
    checkForward(device(), { ...caseOf(13, cols), tolerance: { atol: 1e-7, rtol: 5e-7 } }),
  )

  it.each([1, 2, 3, 257])('is the mean over %i rows', (rows) => checkForward(device(), caseOf(rows, 131)))

  it('has the gradient of the reference', async () => {
    for (const [rows, cols] of [
      [1, 5],
      [7, 13],
      [5, 37],
    ])
      await checkBackward(device(), { ...caseOf(rows, cols), tolerance: { atol: 2e-7, rtol: 2e-6 } })
  })

  it('passes the gradient of its scale on, and gives rows that sum to 0 and exact zeros where ignored', async () => {
    const targets = Int32Array.of(2, IGNORE_INDEX, 0)
    const [dLogits] = await evaluate(device(), () => {
      const logits = device().tensor(normal(15, 1), [3, 5])
      return grad(() => crossEntropy(logits, device().tensor(targets)), [logits]).grads
    })
    for (const row of [0, 2])
      expectNear([dLogits.slice(5 * row, 5 * row + 5).reduce((a, b) => a + b, 0)], [0], { atol: 1e-7 })
    expect([...dLogits.slice(5, 10)]).toEqual([0, 0, 0, 0, 0])
  })

  it('holds for logits of ±1e4 and classes of probability 0', async () => {
    const logits = Float32Array.of(1e4, -1e4, 9999, -Infinity, 0, -1e4)
    const [loss, dLogits] = await evaluate(device(), () => {
      const x = device().tensor(logits, [2, 3])
      const { value, grads } = grad(() => crossEntropy(x, device().tensor(Int32Array.of(2, 1))), [x])
      return [value, ...grads]
    })
    const p = 1 / (1 + Math.E)
    expectNear(loss, [crossEntropyReference(exactly(logits), [2, 1], 3)], { rtol: 1e-6 })
    expectNear(dLogits, [(1 - p) / 2, 0, (p - 1) / 2, 0, 0, 0], { atol: 2e-4 }) // logSumExp of 1e4 is rounded by 5e-4
  })

  it('is 0 without a row to count, with gradient 0', async () => {
    const [loss, dLogits, empty] = await evaluate(device(), () => {
      const x = device().tensor(normal(6, 1), [2, 3])
      const ignored = device().tensor(Int32Array.of(-1, -100))
      const { value, grads } = grad(() => crossEntropy(x, ignored), [x])
      return [value, ...grads, crossEntropy(device().tensor([], [0, 3]), device().tensor(new Int32Array(0)))]
    })
    expect([...loss, ...dLogits, ...empty]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  })

  it('is NaN for a target beyond the classes, a NaN logit or an infinite one, never a number', async () => {
    const losses = await evaluate(device(), () => {
      const two = device().tensor(Int32Array.of(0, 3))
      const one = device().tensor(Int32Array.of(0, 1))
      return [
        crossEntropy(device().tensor(normal(6, 1), [2, 3]), two),
        crossEntropy(device().tensor([1, 2, 3, 4, 5, NaN], [2, 3]), one),
        crossEntropy(device().tensor([1, 2, 3, 4, 5, Infinity], [2, 3]), one),
      ]
    })
    expect(losses.map(([loss]) => loss)).toEqual([NaN, NaN, NaN])
  })

  it('takes leading axes, and frees what it kept when nothing is recorded', async () => {
    const before = device().memory.liveBuffers
    const logits = device().tensor(normal(30, 1), [2, 3, 5])
    const targets = device().tensor(Int32Array.of(0, 1, 2, 3, 4, -1), [2, 3])
    const loss = crossEntropy(logits, targets)
    expect(device().memory.liveBuffers - before).toBe(3)
    const expected = crossEntropyReference(exactly(normal(30, 1)), [0, 1, 2, 3, 4, -1], 5)
    expectNear([await loss.item()], [expected], { rtol: 5e-7 })
    for (const tensor of [logits, targets, loss]) tensor.dispose()
  })

  it('names the shapes when targets do not fit, and the type', () => {
    using _scope = device().scope()
    const logits = device().tensor(normal(15, 1), [3, 5])
    expect(() => crossEntropy(logits, device().tensor(new Int32Array(5)))).toThrow(
      'crossEntropy: targets must have the shape of logits without the last axis, got [5] for [3, 5]',
    )
    const floats: unknown = device().tensor([0, 1, 2])
    expect(() => crossEntropy(logits, floats as Tensor<'i32'>)).toThrow(
      'crossEntropy: targets must be i32, got f32',
    )
  })
})

describe('crossEntropy', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(211 * 997, 1), [211, 997])
    const { value, grads } = grad(() => crossEntropy(x, device.tensor(targetsOf(211, 997))), [x])
    return [value, ...grads]
  })
})
