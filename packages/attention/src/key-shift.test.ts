import { cpu, gpu } from '@tau/tensor'
import { checkGradients, describeDevices, randomArray } from '@tau/testing'
import { expect, it } from 'vitest'
import { keyShift } from './key-shift.ts'
import { outAndGrads } from './testing/tensors.ts'

const reference = (length: number, width: number) => (x: Float64Array, previous: Float64Array) => {
  const half = Math.floor(width / 2)
  return x.map((value, i) => {
    const c = i % width
    const t = Math.floor(i / width) % length
    const b = Math.floor(i / width / length)
    if (c < half) return value
    return t === 0 ? previous[b * width + c] : x[i - width]
  })
}

describeDevices('keyShift', { cpu, gpu }, (device) => {
  it.for([
    [2, 5, 6],
    [3, 1, 7],
    [1, 4, 1],
  ])('takes the second half of the channels from the token before: %j', async ([batch, length, width]) => {
    using _scope = device().scope()
    const shape = [batch, length, width]
    const x = Float32Array.from(randomArray(batch * length * width, 1))
    const zeros = new Float64Array(batch * width)
    const found = keyShift(device().tensor(x, shape))
    expect(found.shape).toEqual(shape)
    const expected = reference(length, width)(Float64Array.from(x), zeros)
    expect(Array.from(await found.data())).toEqual(Array.from(expected))
  })

  it('has gradients for both, continues a sequence, and refuses other shapes', async () => {
    const [batch, length, width] = [2, 3, 5]
    await checkGradients({
      inputs: [randomArray(30, 1), randomArray(10, 2)],
      reference: reference(length, width),
      gradients: async ([a, b], weights) => {
        using _scope = device().scope()
        const x = device().tensor(a, [batch, length, width])
        const previous = device().tensor(b, [batch, 1, width])
        const { grads } = await outAndGrads({ x, previous }, device().tensor(weights, x.shape), () =>
          keyShift(x, previous),
        )
        return [grads.x, grads.previous]
      },
      tolerance: { atol: 1e-6 },
    })
    const x = device().empty([batch, length, width])
    expect(() => keyShift(x, x)).toThrow('keyShift: previous must be [B, 1, C] = [2, 1, 5], got [2, 3, 5]')
    expect(() => keyShift(x.view([6, 5]))).toThrow('keyShift: x must be [B, T, C], got [6, 5]')
    x.dispose()
  })
})
