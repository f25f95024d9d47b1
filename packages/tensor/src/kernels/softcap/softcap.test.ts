import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import { cpu } from '../../backends/cpu/cpu.ts'
import type { Tensor } from '../../tensor.ts'
import { sum } from '../reduce/reduce.ts'
import {
  checkBackward,
  checkForward,
  describeKernel,
  evaluate,
  itHasTheSameBits,
  LENGTHS,
  normal,
} from '../testing.ts'
import { softcapReference } from './reference.ts'
import { softcap } from './softcap.ts'

const caseOf = (n: number) => ({
  shapes: [[n]],
  inputs: [normal(n, 1).map((value) => 10 * value)],
  operation: (x: Tensor) => softcap(x, 7),
  reference: (x: Float64Array) => softcapReference(x, 7),
  tolerance: { rtol: 6e-7 },
})

describeKernel('softcap', (device) => {
  it.each(LENGTHS)('of %i elements', (n) => checkForward(device(), caseOf(n)))

  it('has the gradient of the reference', () =>
    checkBackward(device(), { ...caseOf(61), tolerance: { atol: 1e-6, rtol: 1e-6 } })) // 1 − t² of t near 1

  it('stays within the cap, and keeps NaN', async () => {
    const [y] = await evaluate(device(), () => [
      softcap(device().tensor([1e30, -1e30, Infinity, -Infinity, NaN, 0]), 15),
    ])
    expect([...y]).toEqual([15, -15, 15, -15, NaN, 0])
  })

  it('refuses a cap that is not above 0', () => {
    using _scope = device().scope()
    const x = device().tensor([1])
    for (const cap of [0, -1, NaN])
      expect(() => softcap(x, cap)).toThrow(`softcap: cap must be above 0, got ${cap}`)
  })
})

describe('softcap', () => {
  it.each(['plain', 'relaxed'] as const)('takes the smallest caps, %s build', async (simd) => {
    const device = await cpu({ threads: 1, simd })
    const smallest = 2 ** -149
    const [y] = await evaluate(device, () => [softcap(device.tensor([0, 1, -1, 1e-30, 3e38]), smallest)])
    await device.close()
    expect([...y]).toEqual([0, smallest, -smallest, smallest, smallest])
  })

  itHasTheSameBits((device) => {
    const x = device.tensor(normal(100_003, 1))
    return [softcap(x, 2), ...grad(() => sum(softcap(x, 2)), [x]).grads]
  })
})
