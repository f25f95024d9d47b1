import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { describeKernel, evaluate, exactly, itHasTheSameBits, LENGTHS, normal } from '../testing.ts'
import { addInto } from './accumulate.ts'
import { accumulateReference } from './reference.ts'

describeKernel('addInto', (device) => {
  it.each(LENGTHS)('adds %i scaled elements in place', async (n) => {
    const target = normal(n, 1)
    const x = normal(n, 2)
    const [found, untouched] = await evaluate(device(), () => {
      const sum = device().tensor(target)
      const other = device().tensor(x)
      addInto(sum, other, -0.37)
      return [sum, other]
    })
    expectNear(found, accumulateReference(exactly(target), exactly(x), -0.37), { atol: 3e-7, rtol: 1e-7 })
    expect(untouched).toEqual(x)
  })

  it('adds with a scale of 1 by default, and passes NaN and infinities on', async () => {
    const [found] = await evaluate(device(), () => {
      const sum = device().tensor([1, 2, 3, Infinity, 5])
      addInto(sum, device().tensor([1, NaN, Infinity, -Infinity, -5]))
      return [sum]
    })
    expect([...found]).toEqual([2, NaN, Infinity, NaN, 0])
  })

  it('refuses shapes that differ', () => {
    using _scope = device().scope()
    expect(() => addInto(device().tensor([1, 2]), device().tensor([1, 2, 3]))).toThrow(
      'addInto: shapes must be equal, got [2] and [3]',
    )
  })
})

describe('addInto', () => {
  itHasTheSameBits((device) => {
    const target = device.tensor(normal(100_003, 1))
    addInto(target, device.tensor(normal(100_003, 2)), 0.3)
    return [target]
  })
})
