import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import type { Tensor } from '../../tensor.ts'
import { sum } from '../reduce/reduce.ts'
import {
  checkBackward,
  checkForward,
  describeKernel,
  evaluate,
  itHasTheSameBits,
  LENGTHS,
  normal,
} from '../testing.ts'
import { unaryReference } from './reference.ts'
import {
  abs,
  exp,
  gelu,
  log,
  neg,
  reciprocal,
  relu,
  sigmoid,
  silu,
  softplus,
  sqrt,
  square,
  tanh,
  UNARY_OPS,
  type UnaryOp,
} from './unary.ts'

const operations: Record<UnaryOp, (x: Tensor) => Tensor> = {
  neg,
  exp,
  log,
  sqrt,
  square,
  abs,
  relu,
  sigmoid,
  silu,
  tanh,
  softplus,
  reciprocal,
  gelu,
  geluTanh: (x) => gelu(x, 'tanh'),
}

/** Numbers inside the domain and away from kinks and poles. */
const inputs = (op: UnaryOp, n: number): Float32Array => {
  const values = normal(n, 1)
  if (op === 'log' || op === 'sqrt') return values.map((value) => Math.abs(value) + 0.125)
  return values.map((value) => value + 0.125 * (Math.sign(value) || 1))
}

const caseOf = (op: UnaryOp, n: number) => ({
  shapes: [[n]],
  inputs: [inputs(op, n)],
  operation: (x: Tensor) => operations[op](x),
  reference: (x: Float64Array) => x.map(unaryReference[op]),
  tolerance: { rtol: 4e-7, atol: 1e-7 }, // near x = 1, log x is smaller than its terms
})

/** `count` numbers from 10^low to 10^high, uniform on a logarithmic scale. */
const decades = (low: number, high: number, count = 997): number[] =>
  Array.from({ length: count }, (_, i) => 10 ** (low + ((high - low) * i) / (count - 1)))

const both = (values: number[]): number[] => [...values.map((value) => -value), ...values]

/** Functions with an exponential. WGSL promises 3 + 2|x| units in the last place of e^x: 177 of them at |x| ≤
 *  87. */
const EXPONENTIAL: readonly UnaryOp[] = ['exp', 'sigmoid', 'silu', 'softplus']
const GPU_EXPONENTIAL = 177 * 2 ** -23

describeKernel('unary operations', (device, name) => {
  it.each(UNARY_OPS)('%s is near the reference at every length', async (op) => {
    for (const n of LENGTHS) await checkForward(device(), caseOf(op, n))
  })

  it.each(UNARY_OPS)('%s has the gradient of the reference', (op) =>
    checkBackward(device(), { ...caseOf(op, 61), tolerance: { atol: 3e-7, rtol: 1e-6 } }),
  )

  const ranges: [UnaryOp, number[]][] = [
    ['exp', both(decades(-9, 1.93)).filter((x) => x > -87)],
    ['log', decades(-37, 38)],
    ['sqrt', decades(-37, 38)],
    ['sigmoid', both(decades(-9, 1.9))],
    ['silu', both(decades(-9, 1.9))],
    ['tanh', both(decades(-18, 38))],
    ['softplus', both(decades(-9, 1.9))],
    ['reciprocal', both(decades(-37, 37))],
  ]
  it.each(ranges)('%s has a small relative error over all magnitudes', (op, values) =>
    checkForward(device(), {
      ...caseOf(op, values.length),
      inputs: [Float32Array.from(values)],
      tolerance: { rtol: name === 'gpu.js webgpu' && EXPONENTIAL.includes(op) ? GPU_EXPONENTIAL : 4e-7 },
    }),
  )

  it.each<[UnaryOp, number]>([
    ['gelu', 1.09],
    ['geluTanh', 0.9],
  ])('%s has a small relative error until its tail underflows', (op, high) =>
    checkForward(device(), {
      ...caseOf(op, 1994),
      inputs: [Float32Array.from(both(decades(-9, high)))],
      // rounding the exponent, at most 76, costs 76·2^-24
      tolerance: { rtol: name === 'gpu.js webgpu' ? GPU_EXPONENTIAL : 1e-5, atol: 1e-37 },
    }),
  )

  it('gelu is near its tanh approximation, and no nearer', async () => {
    const [exact, approximate] = await evaluate(device(), () => {
      const x = device().tensor(both(decades(-3, 1)))
      return [gelu(x), gelu(x, 'tanh')]
    })
    const differences = exact.map((value, i) => Math.abs(value - approximate[i]))
    expect(Math.max(...differences)).toBeGreaterThan(4e-4)
    expect(Math.max(...differences)).toBeLessThan(5e-4)
  })

  it.each(UNARY_OPS)('%s agrees with the reference at the edges', async (op) => {
    const edges = [NaN, Infinity, -Infinity, 0, -1e30, 1e30, 1, -1, -100, 100, 89]
    const [found] = await evaluate(device(), () => [operations[op](device().tensor(edges))])
    expectNear(found, Float32Array.from(edges, unaryReference[op]), { rtol: 4e-7, atol: 1e-30 })
  })

  it('exp reaches the largest number, then Infinity; and 0 below the smallest normal one', async () => {
    const values = [88.38, 88.7, 88.7228, 88.72284, 3e38, -87.3365, -87.337, -Infinity]
    const [found] = await evaluate(device(), () => [exp(device().tensor(values))])
    const expected = Float32Array.from(values, (x) => Math.exp(Math.fround(x)))
    const isFlushed = (value: number) => value < 2 ** -126
    expectNear(
      found.map((value) => (isFlushed(value) ? 0 : value)),
      expected.map((value) => (isFlushed(value) ? 0 : value)),
      { rtol: name === 'gpu.js webgpu' ? GPU_EXPONENTIAL : 1e-6 },
    )
  })

  it.each(UNARY_OPS)('%s keeps every NaN, whatever its bits', async (op) => {
    const bits = Int32Array.of(0x7fc00000, 0x7fc001ff, 0x7fffffff, -0x400000, -1)
    const [found] = await evaluate(device(), () => [
      operations[op](device().tensor(new Float32Array(bits.buffer))),
    ])
    expect([...found]).toEqual(new Array(bits.length).fill(NaN))
  })

  it('have gradient 0 at kinks, and say so at poles', async () => {
    const at = (op: UnaryOp, value: number) => {
      const x = device().tensor([value])
      return grad(() => sum(operations[op](x)), [x]).grads[0]
    }
    const found = await evaluate(device(), () => [at('abs', 0), at('relu', 0), at('sqrt', 0), at('log', 0)])
    expect(found.map(([value]) => value)).toEqual([0, 0, Infinity, Infinity])
  })

  it('softplus and sigmoid keep their relation: softplus(−x) = −log sigmoid(x)', async () => {
    const [left, right] = await evaluate(device(), () => {
      const x = device().tensor(normal(131, 1).map((value) => 4 * value))
      return [softplus(neg(x)), neg(log(sigmoid(x)))]
    })
    expectNear(left, right, { atol: 3e-7, rtol: 1e-6 })
  })
})

describe('unary operations', () => {
  itHasTheSameBits((device) => {
    const x = device.tensor(normal(100_003, 1).map(Math.abs))
    return UNARY_OPS.flatMap((op) => [operations[op](x), ...grad(() => sum(operations[op](x)), [x]).grads])
  })
})
