import { expect, it } from 'vitest'
import { reluSquaredReference } from '../relu-squared/reference.ts'
import { reluSquared } from '../relu-squared/relu-squared.ts'
import { checkBackward, describeKernel, evaluate, normal } from '../testing.ts'
import { reshape } from './reshape.ts'

describeKernel('reshape', (device) => {
  it('shares the memory of its input', async () => {
    const values = normal(30, 1)
    const [found] = await evaluate(device(), () => {
      const x = device().tensor(values, [2, 3, 5])
      const { liveBuffers } = device().memory
      const y = reshape(x, [5, -1])
      expect(y.shape).toEqual([5, 6])
      expect(device().memory.liveBuffers).toBe(liveBuffers)
      x.dispose()
      return [y]
    })
    expect(found).toEqual(values)
  })

  it('passes gradients through', () =>
    checkBackward(device(), {
      shapes: [[2, 3, 5]],
      operation: (x) => reshape(reluSquared(reshape(x, [-1])), [5, 6]),
      reference: reluSquaredReference,
      tolerance: { atol: 1e-7, rtol: 1e-6 },
    }))

  it('takes integers', async () => {
    using _scope = device().scope()
    const ids = reshape(device().tensor(Int32Array.of(1, 2, 3, 4)), [2, -1])
    expect(ids.shape).toEqual([2, 2])
    expect(await ids.data()).toEqual(Int32Array.of(1, 2, 3, 4))
  })

  it('refuses shapes that hold another number of elements', () => {
    using _scope = device().scope()
    const x = device().tensor(normal(6, 1))
    for (const shape of [[4], [2, 2], [-1, 4], [-1, -1], [2, -3], [-1, 0]])
      expect(() => reshape(x, shape)).toThrow(
        `reshape: shape must hold 6 elements, with at most one -1, got [${shape.join(', ')}]`,
      )
  })
})
