import { cpu, gpu } from '@tau/tensor'
import { checkGradients, describeDevices, randomArray } from '@tau/testing'
import { expect, it } from 'vitest'
import { outAndGrads } from './testing/tensors.ts'
import { tokenShift } from './token-shift.ts'

type Channels = 'half' | 'all'

const reference =
  (length: number, width: number, channels: Channels) => (x: Float64Array, previous: Float64Array) => {
    const half = channels === 'all' ? 0 : Math.floor(width / 2)
    return x.map((value, i) => {
      const c = i % width
      const t = Math.floor(i / width) % length
      const b = Math.floor(i / width / length)
      if (c < half) return value
      return t === 0 ? previous[b * width + c] : x[i - width]
    })
  }

describeDevices('tokenShift', { cpu, gpu }, (device) => {
  it.for(
    [
      [2, 5, 6],
      [3, 1, 7],
      [1, 4, 1],
    ].flatMap((sizes) => (['half', 'all'] as const).map((channels) => [sizes, channels] as const)),
  )('takes channels from the token before: %j, %s', async ([[batch, length, width], channels]) => {
    using _scope = device().scope()
    const shape = [batch, length, width]
    const x = Float32Array.from(randomArray(batch * length * width, 1))
    const zeros = new Float64Array(batch * width)
    const found = tokenShift(device().tensor(x, shape), { channels })
    expect(found.shape).toEqual(shape)
    const expected = reference(length, width, channels)(Float64Array.from(x), zeros)
    expect(Array.from(await found.data())).toEqual(Array.from(expected))
  })

  it.for(['half', 'all'] as const)(
    'has gradients for both, and continues a sequence: %s',
    async (channels) => {
      const [batch, length, width] = [2, 3, 5]
      await checkGradients({
        inputs: [randomArray(30, 1), randomArray(10, 2)],
        reference: reference(length, width, channels),
        gradients: async ([a, b], weights) => {
          using _scope = device().scope()
          const x = device().tensor(a, [batch, length, width])
          const previous = device().tensor(b, [batch, 1, width])
          const { grads } = await outAndGrads({ x, previous }, device().tensor(weights, x.shape), () =>
            tokenShift(x, { previous, channels }),
          )
          return [grads.x, grads.previous]
        },
        tolerance: { atol: 1e-6 },
      })
    },
  )

  it('refuses other shapes', () => {
    const x = device().empty([2, 3, 5])
    expect(() => tokenShift(x, { previous: x })).toThrow(
      'tokenShift: previous must be [B, 1, C] = [2, 1, 5], got [2, 3, 5]',
    )
    expect(() => tokenShift(x.view([6, 5]))).toThrow('tokenShift: x must be [B, T, C], got [6, 5]')
    x.dispose()
  })
})
