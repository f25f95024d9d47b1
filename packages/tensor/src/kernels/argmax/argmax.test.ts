import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import type { Device } from '../../device.ts'
import type { DType } from '../../dtype.ts'
import type { Tensor } from '../../tensor.ts'
import { describeKernel, LENGTHS, normal } from '../testing.ts'
import { argmax, argmin } from './argmax.ts'
import { argmaxReference } from './reference.ts'

/** [outer, length, inner]: rows, columns, more than one round of 64, many short axes. */
const LAYOUTS = [
  ...LENGTHS.slice(1).map((n) => [1, n, 1] as const),
  ...([
    [7, 131, 1],
    [1, 131, 33],
    [3, 67, 5],
    [40_009, 3, 1],
    [2, 5000, 3],
  ] as const),
] as const

async function valuesOf<D extends DType>(device: Device, f: () => Tensor<D>): Promise<number[]> {
  using _scope = device.scope()
  return [...(await f().data())]
}

describeKernel('argmax', (device) => {
  it.each(LAYOUTS)('finds the largest and the smallest of the middle of [%i, %i, %i]', async (...layout) => {
    const [outer, length, inner] = layout
    for (const values of [
      normal(outer * length * inner, 1),
      normal(outer * length * inner, 2).map(Math.round),
    ]) {
      const x = () => device().tensor(values, layout)
      const exact = Float64Array.from(values)
      expect(await valuesOf(device(), () => argmax(x(), 1))).toEqual(argmaxReference(exact, ...layout))
      const negative = exact.map((value) => -value)
      expect(await valuesOf(device(), () => argmin(x(), 1))).toEqual(argmaxReference(negative, ...layout))
    }
  })

  it('counts axes from the end, or looks through all of the tensor', async () => {
    using _scope = device().scope()
    const x = device().tensor([
      [1, 9, 2],
      [7, 3, 8],
    ])
    const last = argmax(x, -1)
    expect([last.dtype, last.shape, [...(await last.data())]]).toEqual(['i32', [2], [1, 2]])
    expect([...(await argmax(x, 0).data())]).toEqual([1, 0, 1])
    expect([argmax(x).shape, await argmax(x).item(), await argmin(x).item()]).toEqual([[], 1, 0])
  })

  it('takes the first of equals, and the first NaN before all', async () => {
    for (const at of [0, 1, 63, 64, 130]) {
      const values = normal(131, 1).with(at, NaN)
      for (const operation of [argmax, argmin]) {
        expect(await valuesOf(device(), () => operation(device().tensor(values)))).toEqual([at])
        const two = values.with(130, NaN)
        expect(await valuesOf(device(), () => operation(device().tensor(two)))).toEqual([at])
        const flat = new Float32Array(131).fill(operation === argmax ? -Infinity : Infinity)
        expect(await valuesOf(device(), () => operation(device().tensor(flat)))).toEqual([0])
      }
    }
  })

  it('refuses empty tensors, wrong axes and gradients', () => {
    using _scope = device().scope()
    const x = device().tensor([1, 2])
    expect(() => argmax(device().tensor([]))).toThrow(
      'argmax: tensor must hold at least one element, got [0]',
    )
    expect(() => argmin(x, 1)).toThrow('argmin: axis must be between -1 and 0, got 1')
    expect(() =>
      grad(() => {
        argmax(x)
        return x
      }, [x]),
    ).toThrow('argmax: this operation has no gradient')
  })
})

describe('argmax', () => {
  it('is the same on one thread and on three', async () => {
    const { cpu } = await import('../../backends/cpu/cpu.ts')
    const values = normal(1009 * 131, 1)
    const found: number[][] = []
    for (const threads of [1, 3]) {
      const device = await cpu({ threads })
      found.push(await valuesOf(device, () => argmax(device.tensor(values, [1009, 131]), 1)))
      await device.close()
    }
    expect(found[0]).toEqual(found[1])
  })
})
