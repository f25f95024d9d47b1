import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
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
import { reluSquaredReference } from './reference.ts'
import { reluSquared } from './relu-squared.ts'

const caseOf = (n: number) => ({
  shapes: [[n]],
  operation: reluSquared,
  reference: reluSquaredReference,
  tolerance: { rtol: 1e-7 },
})

describeKernel('reluSquared', (device) => {
  it.each(LENGTHS)('of %i elements', (n) => checkForward(device(), caseOf(n)))

  it('has the gradient of the reference, and 0 at the kink', async () => {
    await checkBackward(device(), { ...caseOf(61), tolerance: { atol: 1e-7, rtol: 1e-6 } })
    const [dX] = await evaluate(device(), () => {
      const x = device().tensor([-1, 0, 3])
      return grad(() => sum(reluSquared(x)), [x]).grads
    })
    expect([...dX]).toEqual([0, 0, 6])
  })

  it('keeps NaN, and overflows to Infinity', async () => {
    const [y] = await evaluate(device(), () => [
      reluSquared(device().tensor([NaN, Infinity, -Infinity, 2e19, -2e19])),
    ])
    expect([...y]).toEqual([NaN, Infinity, 0, Infinity, 0])
  })
})

describe('reluSquared', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(100_003, 1))
    return [reluSquared(x), ...grad(() => sum(reluSquared(x)), [x]).grads]
  })
})
