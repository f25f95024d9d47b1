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
import { clamp } from './clamp.ts'
import { clampReference } from './reference.ts'

describeKernel('clamp', (device) => {
  const test = (n: number) => ({
    shapes: [[n]],
    operation: (x: Parameters<typeof clamp>[0]) => clamp(x, -0.5, 1.25),
    reference: (x: Float64Array) => clampReference(x, -0.5, 1.25),
    tolerance: {}, // both bounds are exact in f32
  })

  it.each(LENGTHS)('limits %i elements exactly', (n) => checkForward(device(), test(n)))

  it('passes gradients inside only', () =>
    checkBackward(device(), { ...test(61), tolerance: { atol: 1e-7 } }))

  it('has gradient 1 on the bounds, 0 beyond', async () => {
    const [dX] = await evaluate(device(), () => {
      const x = device().tensor([-0.75, -0.5, 0, 1.25, 1.5])
      return grad(() => sum(clamp(x, -0.5, 1.25)), [x]).grads
    })
    expect([...dX]).toEqual([0, 1, 1, 1, 0])
  })

  it('keeps NaN and bounds infinities', async () => {
    const [y] = await evaluate(device(), () => [
      clamp(device().tensor([NaN, Infinity, -Infinity, 0, NaN]), -1, 1),
    ])
    expect([...y]).toEqual([NaN, 1, -1, 0, NaN])
  })

  it('refuses bounds in the wrong order, and NaN', () => {
    using _scope = device().scope()
    const x = device().tensor([0])
    expect(() => clamp(x, 2, 1)).toThrow('clamp: low must not exceed high, got 2 and 1')
    expect(() => clamp(x, NaN, 1)).toThrow('clamp: low must not exceed high, got NaN and 1')
  })
})

describe('clamp', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(100_003, 1))
    return [clamp(x, -1, 1), ...grad(() => sum(clamp(x, -1, 1)), [x]).grads]
  })
})
