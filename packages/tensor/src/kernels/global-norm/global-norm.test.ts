import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import {
  checkForward,
  describeKernel,
  evaluate,
  exactly,
  itHasTheSameBits,
  LENGTHS,
  normal,
} from '../testing.ts'
import { globalNorm } from './global-norm.ts'
import { globalNormReference } from './reference.ts'

describeKernel('globalNorm', (device) => {
  it.each(LENGTHS)('of one tensor of %i elements', (n) =>
    checkForward(device(), {
      shapes: [[n]],
      operation: (x) => globalNorm([x]),
      reference: (x) => Float64Array.of(globalNormReference([x])),
      tolerance: { rtol: 3e-7 },
    }),
  )

  it('of tensors of all sizes together', async () => {
    const arrays = LENGTHS.map((n, i) => normal(n, i))
    const [found] = await evaluate(device(), () => [
      globalNorm(arrays.map((values) => device().tensor(values))),
    ])
    expectNear(found, [globalNormReference(arrays.map(exactly))], { rtol: 3e-7 })
  })

  it('neither overflows nor vanishes where squares do', async () => {
    const [large, small] = await evaluate(device(), () => [
      globalNorm([device().tensor([3e30, 0]), device().tensor([4e30])]),
      globalNorm([device().tensor([3e-30, 4e-30])]),
    ])
    expectNear([...large, ...small], [5e30, 5e-30], { rtol: 3e-7 })
  })

  it('is not finite when any element is not', async () => {
    const found = await evaluate(device(), () =>
      [NaN, Infinity, -Infinity].map((value) =>
        globalNorm([device().tensor([1, 2]), device().tensor([3, value, 4])]),
      ),
    )
    expect(found.map(([norm]) => norm)).toEqual([NaN, Infinity, Infinity])
  })

  it('refuses an empty list, and to be recorded', () => {
    using _scope = device().scope()
    expect(() => globalNorm([])).toThrow('globalNorm: at least one tensor must be given, got none')
    const x = device().tensor([3, 4])
    expect(() => grad(() => globalNorm([x]), [x])).toThrow('globalNorm: this operation has no gradient')
  })
})

describe('globalNorm', () => {
  itHasTheSameBits((device) => [
    globalNorm([
      device.tensor(normal(200_003, 1)),
      device.tensor(normal(7, 2)),
      device.tensor(normal(70_001, 3)),
    ]),
  ])
})
