import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import { cpu } from '../../backends/cpu/cpu.ts'
import { hasWideSimd } from '../../backends/cpu/wide.ts'
import type { Device } from '../../device.ts'
import { profile } from '../../profile/profile.ts'
import type { Tensor } from '../../tensor.ts'
import { crossEntropy } from '../cross-entropy/cross-entropy.ts'
import { linearCrossEntropy } from '../linear-cross-entropy/linear-cross-entropy.ts'
import { sum } from '../reduce/reduce.ts'
import { softcap } from '../softcap/softcap.ts'
import { softmax } from '../softmax/softmax.ts'
import { evaluate, normal } from '../testing.ts'
import { exp, log, sigmoid, silu, softplus, tanh } from './unary.ts'

/** Two rows, each with a tail that is shorter than a pair of vectors. */
const [ROWS, COLS] = [2, 20_007]
const operations: Record<string, (x: Tensor) => Tensor> = {
  ...{ exp, log, sigmoid, silu, softplus, tanh, softmax },
  softcap: (x) => softcap(x, 3),
  crossEntropy: (x) => crossEntropy(x, x.device.tensor(Int32Array.of(7, COLS - 1))),
}

describe.skipIf(!(await hasWideSimd()))('exponentials on 256-bit registers', () => {
  let wide: Device
  let relaxed: Device
  beforeAll(async () => {
    wide = await cpu({ simd: 'wide', threads: 2, strict: true })
    relaxed = await cpu({ simd: 'relaxed', threads: 1, strict: true })
  })
  afterAll(() => Promise.all([wide.close(), relaxed.close()]))

  it.each(Object.entries(operations))('%s has the bits of the relaxed build', async (name, operation) => {
    const values = normal(ROWS * COLS, 1).map((value) => (name === 'log' ? Math.abs(value) : 4 * value))
    const run = (device: Device) =>
      evaluate(device, () => {
        const x = device.tensor(values, [ROWS, COLS])
        return [operation(x), ...grad(() => sum(operation(x)), [x]).grads]
      })
    expect(await run(wide)).toEqual(await run(relaxed))
    using _scope = wide.scope()
    const x = wide.tensor(values, [ROWS, COLS])
    const { launches } = (await profile(wide, () => operation(x))).profile
    expect(launches[0].build).toBe('wide-simd')
  })

  it('the loss of logits has the bits of the relaxed build, wherever products have', async () => {
    const [width, rows, cols] = [13, 2, 20_007]
    const run = (device: Device) =>
      evaluate(device, () => {
        const x = device.tensor(normal(rows * width, 2), [rows, width])
        const weight = device.tensor(normal(cols * width, 3), [cols, width])
        const targets = device.tensor(Int32Array.of(7, cols - 1))
        const bounds = { clamp: 5, softcap: 3 }
        const { value, grads } = grad(() => linearCrossEntropy(x, weight, targets, bounds), [x, weight])
        return [value, ...grads, linearCrossEntropy(x, weight, targets, { clamp: 60 })]
      })
    expect(await run(wide)).toEqual(await run(relaxed))
    const { launches } = (await profile(wide, () => run(wide))).profile
    const builds = launches.filter(({ kernel }) => kernel === 'logitLoss').map(({ build }) => build)
    expect(builds).toEqual(['wide-simd', 'wide-simd'])
  })
})
