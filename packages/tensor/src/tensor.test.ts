import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { cpu } from './backends/cpu/cpu.ts'
import { dryCpu } from './backends/cpu/dry.ts'
import { BackendError, DTypeError, ShapeError } from './errors.ts'
import { add } from './kernels/binary/binary.ts'
import { zeros } from './kernels/fill/fill.ts'
import { softmax } from './kernels/softmax/softmax.ts'
import { describeKernel } from './kernels/testing.ts'

describeKernel('tensors', (device) => {
  it('hold what they were made from, whatever happens to the array', async () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6)
    using x = device().tensor(values, [2, 3])
    values.fill(0)
    expect([x.shape, x.dtype, x.size, x.rank]).toEqual([[2, 3], 'f32', 6, 2])
    expect(await x.data()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
  })

  it('take their type from a typed array, one axis and f32 by default', async () => {
    using _scope = device().scope()
    const ids = device().tensor(Int32Array.of(1, -(2 ** 31), 2 ** 31 - 1))
    expect([ids.dtype, ids.shape]).toEqual(['i32', [3]])
    expect(await ids.data()).toEqual(Int32Array.of(1, -2147483648, 2147483647))
    expect(await device().tensor([1, 2, 3], [3], 'i32').data()).toEqual(Int32Array.of(1, 2, 3))
    expect(await device().tensor(Float64Array.of(0.1)).data()).toEqual(Float32Array.of(0.1))
    expect(await device().scalar(2.5).item()).toBe(2.5)
  })

  it('take their shape from nested arrays', async () => {
    using _scope = device().scope()
    const x = device().tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect([x.shape, x.dtype]).toEqual([[2, 3], 'f32'])
    expect(await x.data()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
    const ids = device().tensor([[7], [8]], undefined, 'i32')
    expect([ids.shape, ids.dtype, await ids.data()]).toEqual([[2, 1], 'i32', Int32Array.of(7, 8)])
    expect(device().tensor([[1, 2, 3]], [3]).shape).toEqual([3])
    expect(await device().tensor(7).item()).toBe(7)
    expect(() => device().tensor([[1, 2], [3]])).toThrow(
      'tensor: nested arrays must have one length at each depth, got length 2 at [0] and length 1 at [1]',
    )
  })

  it('show themselves to console.log: with values where those need no wait', () => {
    using _scope = device().scope()
    const x = add(device().tensor([[1, 2]]), 1)
    const { backend, variant } = device().info
    const onGpu = `Tensor [1, 2] f32 on gpu (${variant}), values not read; await tensor.data() reads them`
    const expected = backend === 'cpu' ? 'Tensor [1, 2] f32\n[[2, 3]]' : onGpu
    expect([inspect(x), String(x)]).toEqual([expected, expected])
    x.dispose()
    expect(inspect(x)).toBe('Tensor [1, 2] f32, disposed')
  })

  it('give copies that do not change with them', async () => {
    using x = device().tensor([1, 2, 3])
    const before = await x.data()
    x.write(Float32Array.of(7, 8, 9))
    before[0] = 100
    expect(await x.data()).toEqual(Float32Array.of(7, 8, 9))
  })

  it('views share memory, which the last of them frees', async () => {
    const start = device().memory
    const x = device().tensor([1, 2, 3, 4, 5, 6])
    const view = x.view([3, 2])
    expect([x.exclusive, view.exclusive]).toEqual([false, false])
    expect(device().memory).toEqual({ liveBuffers: start.liveBuffers + 1, liveBytes: start.liveBytes + 24 })
    x.dispose()
    x.dispose() // a second time does nothing
    expect(view.exclusive).toBe(true)
    expect(await view.data()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
    view.dispose()
    expect(device().memory).toEqual(start)
  })

  it('refuse every use once disposed, and name themselves', () => {
    const x = device().tensor([1, 2])
    x.dispose()
    const message = 'tensor: [2] f32 was disposed and cannot be used; keep it in its scope'
    expect(x.disposed).toBe(true)
    for (const use of [() => x.view(), () => x.data(), () => softmax(x), () => x.write(new Float32Array(2))])
      expect(use).toThrow(message)
  })

  it('refuse counts, shapes and types that do not fit', async () => {
    using _scope = device().scope()
    expect(() => device().tensor([1, 2, 3], [2, 2])).toThrow(ShapeError)
    expect(() => device().tensor([1, 2, 3], [2, 2])).toThrow(
      'tensor: shape must hold 3 values, got [2, 2] = 4',
    )
    expect(() => device().tensor([1], [-1])).toThrow(
      'tensor: shape must hold whole numbers of at least 0, got [-1]',
    )
    expect(() => device().tensor([1, 2.5], [2], 'i32')).toThrow(DTypeError)
    expect(() => device().tensor([1, 2.5], [2], 'i32')).toThrow(
      'tensor: i32 values must be whole numbers from -2^31 to 2^31 - 1, got 2.5 at 1',
    )
    expect(() => device().tensor([0, 2 ** 31], [2], 'i32')).toThrow('got 2147483648 at 1')
    const x = device().tensor([1, 2])
    expect(() => x.view([3])).toThrow('view: shape must hold 2 elements, got [3]')
    expect(() => x.write(new Float32Array(3))).toThrow('write: values must have 2 elements for [2], got 3')
    await expect(x.item()).rejects.toThrow('item: tensor must hold one element, got [2]')
  })

  it('of a device without contents, or a closed one, show no values', async () => {
    expect(inspect(zeros(await dryCpu(), [3]))).toBe(
      'Tensor [3] f32 on cpu (dry), values not read; await tensor.data() reads them',
    )
    const closed = await cpu({ threads: 1, simd: 'plain' })
    const x = zeros(closed, [3])
    await closed.close()
    expect(inspect(x)).toMatch('Tensor [3] f32 on cpu (simd), values not read')
  })

  it('of another device are refused', async () => {
    using _scope = device().scope()
    const other = await cpu({ threads: 1, simd: 'plain' })
    const far = other.tensor([1, 2])
    expect(() => add(device().tensor([1, 2]), far)).toThrow(BackendError)
    expect(() => add(device().tensor([1, 2]), far)).toThrow('add: tensors must live on one device')
    await other.close()
  })
})
