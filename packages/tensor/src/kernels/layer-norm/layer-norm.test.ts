import { expect, it } from 'vitest'
import type { Tensor } from '../../tensor.ts'
import { mean } from '../reduce/mean.ts'
import { checkBackward, checkForward, describeKernel, evaluate, normal } from '../testing.ts'
import { square } from '../unary/unary.ts'
import { layerNorm } from './layer-norm.ts'
import { layerNormReference } from './reference.ts'

const caseOf = (rows: number, cols: number) => ({
  shapes: [[rows, cols], [cols], [cols]],
  operation: (x: Tensor, weight: Tensor, bias: Tensor) => layerNorm(x, weight, bias),
  reference: (x: Float64Array, weight: Float64Array, bias: Float64Array) =>
    layerNormReference(x, cols, 1e-5).map((value, i) => value * weight[i % cols] + bias[i % cols]),
  tolerance: { atol: 2e-6 },
})

describeKernel('layerNorm', (device) => {
  it.each([1, 3, 4, 5, 31, 32, 33, 131])('is near the reference on rows of %i', async (cols) => {
    await checkForward(device(), caseOf(7, cols))
    await checkForward(device(), {
      shapes: [[7, cols]],
      operation: (x) => layerNorm(x, undefined, undefined, 0.5),
      reference: (x) => layerNormReference(x, cols, 0.5),
      tolerance: { atol: 2e-6 },
    })
  })

  it('has the gradients of the reference', () =>
    checkBackward(device(), { ...caseOf(3, 5), tolerance: { atol: 1e-5, rtol: 1e-5 } }))

  it('makes rows of mean 0 and variance 1, and keeps NaN in its row', async () => {
    const [means, variances, found] = await evaluate(device(), () => {
      const y = layerNorm(
        device().tensor(
          normal(11 * 257, 1).map((value) => 3 * value + 5),
          [11, 257],
        ),
      )
      const x = device().tensor([
        [1, NaN],
        [1, 2],
      ])
      return [mean(y, -1), mean(square(y), -1), layerNorm(x)]
    })
    for (const value of means) expect(value).toBeCloseTo(0, 5)
    for (const value of variances) expect(value).toBeCloseTo(1, 4)
    expect([...found].map(Number.isNaN)).toEqual([true, true, false, false])
  })

  it('names the shape that weight and bias must have', () => {
    using _scope = device().scope()
    const x = device().tensor(normal(6, 1), [2, 3])
    expect(() => layerNorm(x, device().tensor([1, 2]))).toThrow('layerNorm: weight must be [3], got [2]')
    expect(() => layerNorm(x, undefined, device().tensor([[1, 2, 3]]))).toThrow(
      'layerNorm: bias must be [3], got [1, 3]',
    )
    expect(() => layerNorm(x, undefined, undefined, -1)).toThrow('layerNorm: eps must be at least 0, got -1')
  })
})
