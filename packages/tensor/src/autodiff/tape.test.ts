import { expect, it } from 'vitest'
import { cpu } from '../backends/cpu/cpu.ts'
import { ShapeError } from '../errors.ts'
import { add, mul } from '../kernels/binary/binary.ts'
import { crossEntropy } from '../kernels/cross-entropy/cross-entropy.ts'
import { matmul } from '../kernels/matmul/matmul.ts'
import { max, sum } from '../kernels/reduce/reduce.ts'
import { reluSquared } from '../kernels/relu-squared/relu-squared.ts'
import { reshape } from '../kernels/reshape/reshape.ts'
import { rmsNorm } from '../kernels/rms-norm/rms-norm.ts'
import { checkBackward, describeKernel, evaluate, normal } from '../kernels/testing.ts'
import { neg, square } from '../kernels/unary/unary.ts'
import type { Tensor } from '../tensor.ts'
import { grad, record, Tape } from './tape.ts'

/** x² whose backward is given. */
const squareWith = (backward: (x: Tensor, dOut: Tensor) => Tensor) => (x: Tensor) => {
  const values = square(x)
  return record('mySquare', [x], values.view(), (dOut) => [backward(x, dOut)])
}

describeKernel('tape', (device) => {
  const values = async (f: () => readonly Tensor[]) =>
    (await evaluate(device(), f)).map((array) => [...array])

  it('the gradient check accepts a right backward, and catches a wrong sign, factor or missing term', async () => {
    const check = (backward: (x: Tensor, dOut: Tensor) => Tensor) =>
      checkBackward(device(), {
        shapes: [[7]],
        operation: squareWith(backward),
        reference: (x) => x.map((value) => value * value),
        tolerance: { atol: 1e-6, rtol: 1e-6 },
      })
    await check((x, dOut) => mul(mul(x, dOut), 2))
    await expect(check((x, dOut) => mul(mul(x, dOut), -2))).rejects.toThrow('gradient of input 0')
    await expect(check((x, dOut) => mul(mul(x, dOut), 2.001))).rejects.toThrow('gradient of input 0')
    await expect(check((_, dOut) => dOut.view())).rejects.toThrow('gradient of input 0')
  })

  it('returns the value and one gradient per tensor, in their order', async () => {
    const found = await values(() => {
      const [a, b] = [device().tensor([2, 3]), device().tensor([5, 7])]
      const { value, grads } = grad(() => sum(mul(a, b)), [b, a])
      return [value, ...grads]
    })
    expect(found).toEqual([[31], [2, 3], [5, 7]])
  })

  it('adds up over every use: x·x + x + x, and through views', async () => {
    const found = await values(() => {
      const x = device().tensor([2, 3, 5])
      const { grads } = grad(() => {
        const y = reshape(x, [3, 1])
        return sum(add(mul(x, x), reshape(add(y, y), [3])))
      }, [x])
      return grads
    })
    expect(found).toEqual([[6, 8, 12]])
  })

  it('does not let gradients that share memory change each other', async () => {
    const found = await values(() => {
      const [a, b] = [device().tensor([1]), device().tensor([1])]
      const both = grad(() => sum(add(add(a, b), mul(a, device().scalar(10)))), [a, b]).grads
      return both
    })
    expect(found).toEqual([[11], [1]])
  })

  it('gives zeros for a tensor that the loss does not depend on', async () => {
    const found = await values(() => {
      const [x, unused] = [device().tensor([2]), device().tensor([1, 2, 3])]
      return grad(() => {
        square(unused) // recorded, but not part of the loss
        return sum(square(x))
      }, [x, unused]).grads
    })
    expect(found).toEqual([[4], [0, 0, 0]])
  })

  it('gives 1 for the loss itself', async () => {
    expect(
      await values(() => {
        const x = device().scalar(3)
        return grad(() => x, [x]).grads
      }),
    ).toEqual([[1]])
  })

  it('goes through a small network the same way as by hand', async () => {
    const targets = Int32Array.of(1, 0, 2)
    await checkBackward(device(), {
      shapes: [
        [3, 5],
        [5, 7],
        [4, 7],
      ],
      operation: (x, w, head) =>
        crossEntropy(matmul(reluSquared(matmul(rmsNorm(x), w)), head, 'nt'), device().tensor(targets)),
      reference: network(targets),
      tolerance: { atol: 3e-6, rtol: 3e-5 }, // seven kernels in f32
    })
  })

  it('refuses a loss of more than one element, and an empty list', () => {
    using _scope = device().scope()
    const x = device().tensor([1, 2])
    expect(() => grad(() => square(x), [x])).toThrow(ShapeError)
    expect(() => grad(() => square(x), [x])).toThrow(
      'backward: loss must hold one element, got [2]; take its mean or sum',
    )
    expect(() => Reflect.apply(grad, undefined, [x, [x]])).toThrow(
      'grad: f must be a function, got an object of class Tensor; write grad(() => loss, tensors)',
    )
    expect(() => grad(() => sum(x), [])).toThrow('grad: at least one tensor must be given, got none')
  })

  it('refuses tensors of two devices, whose gradients it would not see', async () => {
    using _scope = device().scope()
    const other = await cpu({ threads: 1, simd: 'plain' })
    const [x, far] = [device().tensor([1]), other.tensor([1])]
    expect(() => grad(() => sum(x), [x, far])).toThrow('grad: tensors must live on one device')
    await other.close()
  })

  it('refuses operations without a gradient where it matters, and only there', async () => {
    using _scope = device().scope()
    const [x, y] = [device().tensor([1, 2]), device().tensor([3, 4])]
    expect(() => grad(() => max(square(x)), [x])).toThrow(
      'max: this operation has no gradient, but its input depends on a watched tensor; run it outside grad',
    )
    const { grads } = grad(() => sum(mul(x, max(y))), [x])
    expect([...(await grads[0].data())]).toEqual([4, 4])
  })

  it('refuses to record twice at once, and closes after an error', () => {
    using _scope = device().scope()
    const x = device().tensor([1])
    const nested = () => grad(() => grad(() => sum(x), [x]).value, [x])
    expect(nested).toThrow('tape: a device records one tape at a time; close the open one first')
    expect(device().tape).toBeUndefined()
    using tape = new Tape(device(), [x])
    expect(device().tape).toBe(tape)
  })

  it('refuses a backward whose gradient has the wrong shape', () => {
    using _scope = device().scope()
    const x = device().tensor([1, 2, 3])
    const wrong = (t: Tensor) => record('wrong', [t], neg(t).view(), () => [device().scalar(1)])
    expect(() => grad(() => sum(wrong(x)), [x])).toThrow('internal: gradient 0 of wrong must be [3], got []')
  })

  it('frees the gradients of everything that is not watched while it runs', () => {
    using _scope = device().scope()
    const x = device().tensor(normal(101, 1))
    let after = 0
    const { grads } = grad(() => {
      let y = x
      for (let i = 0; i < 10; i++) y = neg(y)
      const loss = sum(y)
      after = device().memory.liveBuffers
      return loss
    }, [x])
    expect(grads).toHaveLength(1)
    expect(device().memory.liveBuffers - after).toBe(1)
  })
})

/** crossEntropy(relu²(rmsNorm(x)·W)·Hᵀ) in f64. */
const network = (targets: Int32Array) => (x: Float64Array, w: Float64Array, head: Float64Array) => {
  let loss = 0
  targets.forEach((target, row) => {
    const input = [...x.subarray(5 * row, 5 * row + 5)]
    const root = Math.sqrt(input.reduce((total, v) => total + v * v, 0) / 5 + 1e-6)
    const hidden = Array.from(
      { length: 7 },
      (_, j) =>
        Math.max(
          0,
          input.reduce((total, v, i) => total + (v / root) * w[7 * i + j], 0),
        ) ** 2,
    )
    const scores = Array.from({ length: 4 }, (_, c) =>
      hidden.reduce((total, v, j) => total + v * head[7 * c + j], 0),
    )
    loss += Math.log(scores.reduce((total, score) => total + Math.exp(score), 0)) - scores[target]
  })
  return Float64Array.of(loss / targets.length)
}
