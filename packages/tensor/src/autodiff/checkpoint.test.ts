import { describe, expect, it } from 'vitest'
import { cpu } from '../backends/cpu/cpu.ts'
import type { Device } from '../device.ts'
import { add, mul } from '../kernels/binary/binary.ts'
import { cumsum } from '../kernels/cumsum/cumsum.ts'
import { matmul } from '../kernels/matmul/matmul.ts'
import { max, sum } from '../kernels/reduce/reduce.ts'
import { reluSquared } from '../kernels/relu-squared/relu-squared.ts'
import { rmsNorm } from '../kernels/rms-norm/rms-norm.ts'
import { describeKernel, evaluate, normal } from '../kernels/testing.ts'
import type { Tensor } from '../tensor.ts'
import { checkpoint } from './checkpoint.ts'
import { grad, type TapeOptions } from './tape.ts'

type Run = (f: (x: Tensor) => Tensor, x: Tensor) => Tensor
const plainly: Run = (f, x) => f(x)
const twice: Run = (f, x) => checkpoint(f, [x])
const nested: Run = (f, x) => checkpoint((y) => checkpoint(f, [y]), [x])

const [ROWS, WIDTH, LAYERS] = [101, 37, 3]

/** Loss and gradients of a small residual network whose blocks go through `run`. */
function network(device: Device, run: Run, options?: TapeOptions): Tensor[] {
  const x = device.tensor(normal(ROWS * WIDTH, 1), [ROWS, WIDTH])
  const weights = Array.from({ length: LAYERS }, (_, i) =>
    device.tensor(normal(WIDTH * WIDTH, i + 2), [WIDTH, WIDTH]),
  )
  const shared = device.tensor(normal(WIDTH, 9))
  const loss = () => {
    let y = x
    for (const weight of weights)
      y = run((input) => add(input, reluSquared(matmul(rmsNorm(mul(input, shared)), weight))), y)
    return sum(mul(y, y))
  }
  const { value, grads } = grad(loss, [x, shared, ...weights], options)
  return [value, ...grads]
}

describeKernel('checkpoint', (device) => {
  it.each<[string, Run]>([
    ['once', twice],
    ['inside another', nested],
  ])(
    'gives the value and the gradients of the function to the bit, weights around it included, %s',
    async (_, run) => {
      const found = await evaluate(device(), () => network(device(), run))
      expect(found).toEqual(await evaluate(device(), () => network(device(), plainly)))
    },
  )

  it('changes nothing when intermediates are freed on the way back', async () => {
    const options = { freeIntermediates: true }
    const expected = await evaluate(device(), () => network(device(), plainly))
    for (const run of [plainly, twice, nested])
      expect(await evaluate(device(), () => network(device(), run, options))).toEqual(expected)
  })

  it('leaves only its result behind, and the gradients when they are made', async () => {
    await evaluate(device(), () => {
      const x = device().tensor(normal(35, 1), [5, 7])
      const before = device().memory.liveBuffers
      const options = { freeIntermediates: true }
      const { value, grads } = grad(
        () => {
          const y = checkpoint((input) => reluSquared(rmsNorm(mul(input, input))), [x])
          expect(device().memory.liveBuffers - before).toBe(1)
          return sum(y)
        },
        [x],
        options,
      )
      expect(device().memory.liveBuffers - before).toBe(2)
      return [value, ...grads]
    })
  })

  it('is the function itself where nothing records', async () => {
    const [found, expected] = await evaluate(device(), () => {
      const x = device().tensor(normal(35, 1), [5, 7])
      return [checkpoint((y) => rmsNorm(y), [x]), rmsNorm(x)]
    })
    expect(found).toEqual(expected)
  })

  it('refuses no inputs, an input as result, and operations without a gradient', () => {
    using _scope = device().scope()
    const x = device().tensor([1, 2])
    expect(() => checkpoint(() => x, [])).toThrow('checkpoint: at least one input must be given, got none')
    expect(() => grad(() => sum(checkpoint((y) => add(max(y), y), [x])), [x])).toThrow('no gradient')
    expect(() => grad(() => sum(cumsum(checkpoint(failing, [x]))), [x])).toThrow('as planned')
    expect(device().tape).toBeUndefined()
  })
})

const failing = (): Tensor => {
  throw new Error('as planned')
}

describe('memory', () => {
  it('needs less at its peak with checkpoints, and less when intermediates are freed', async () => {
    const peak = async (run: Run, options?: TapeOptions) => {
      const device = await cpu({ threads: 1 })
      const before = device.memory.peakBytes
      {
        using _scope = device.scope()
        network(device, run, options)
      }
      const { peakBytes } = device.memory
      await device.close()
      return peakBytes - before
    }
    const kept = await peak(plainly)
    const freed = await peak(plainly, { freeIntermediates: true })
    const checkpointed = await peak(twice, { freeIntermediates: true })
    expect(freed).toBeLessThan(kept)
    expect(checkpointed).toBeLessThan(freed)
  })
})
