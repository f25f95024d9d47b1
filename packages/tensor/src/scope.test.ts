import { expect, it } from 'vitest'
import { add } from './kernels/binary/binary.ts'
import { describeKernel } from './kernels/testing.ts'
import type { Tensor } from './tensor.ts'

describeKernel('scopes', (device) => {
  it('free what was made in them, and nothing else', async () => {
    const start = device().memory
    const outside = device().tensor([1, 2])
    let inside: Tensor | undefined
    {
      using _scope = device().scope()
      inside = add(outside, outside)
      add(inside, outside)
      expect(device().memory.liveBuffers).toBe(start.liveBuffers + 3)
    }
    expect(inside.disposed).toBe(true)
    expect(await outside.data()).toEqual(Float32Array.of(1, 2))
    outside.dispose()
    expect(device().memory).toEqual(start)
  })

  it('hand a kept tensor to the scope around them, or to the caller', async () => {
    const start = device().memory
    let kept: Tensor | undefined
    {
      using outer = device().scope()
      let middle: Tensor | undefined
      {
        using inner = device().scope()
        middle = inner.keep(device().tensor([1]))
        kept = inner.keep(device().tensor([2]))
      }
      expect(middle.disposed).toBe(false)
      outer.keep(kept)
      kept = outer.keep(kept) // keeping twice is keeping once
    }
    expect(await kept.item()).toBe(2)
    expect(device().memory.liveBuffers).toBe(start.liveBuffers + 1)
    kept.dispose()
    expect(device().memory).toEqual(start)
  })

  it('close when an error leaves them', () => {
    const start = device().memory
    expect(() => {
      using _scope = device().scope()
      add(device().tensor([1, 2]), device().tensor([1, 2, 3]))
    }).toThrow('add: shapes must be equal')
    expect(device().memory).toEqual(start)
    using _next = device().scope() // and the order of scopes is intact
  })

  it('must close in the reverse order of opening', () => {
    const outer = device().scope()
    const inner = device().scope()
    const x = device().tensor([1])
    expect(() => outer[Symbol.dispose]()).toThrow(
      'scope: scopes must close in the reverse order of opening; close the inner scope first',
    )
    expect(x.disposed).toBe(false)
    inner[Symbol.dispose]()
    outer[Symbol.dispose]()
    expect(x.disposed).toBe(true)
  })

  it('do not own what is made unscoped', async () => {
    let state: Tensor | undefined
    {
      using _scope = device().scope()
      state = device().unscoped(() => device().tensor([3]))
      expect(() =>
        device().unscoped(() => {
          throw new Error('lost')
        }),
      ).toThrow('lost')
      const temporary = device().tensor([4])
      expect(temporary.disposed).toBe(false)
    }
    expect(await state.item()).toBe(3)
    state.dispose()
  })

  it('leave no buffer behind over many steps', () => {
    const start = device().memory
    for (let step = 0; step < 100; step++) {
      using _scope = device().scope()
      const x = device().tensor([1, 2, 3])
      add(add(x, x), x)
    }
    expect(device().memory).toEqual(start)
  })
})
