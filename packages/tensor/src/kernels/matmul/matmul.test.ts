import { checkGradients, describeDevices, expectNear, randomArray } from '@tau/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { grad } from '../../autodiff/tape.ts'
import { cpu } from '../../backends/cpu/cpu.ts'
import { gpu } from '../../backends/gpu/gpu.ts'
import type { Device } from '../../device.ts'
import { ShapeError } from '../../errors.ts'
import { type Shape, sizeOf } from '../../shape.ts'
import { mul } from '../binary/binary.ts'
import { sum } from '../reduce/reduce.ts'
import { kernelsOf } from '../table.ts'
import type { Layout } from './layout.ts'
import { matmul } from './matmul.ts'
import { matmulReference } from './reference.ts'

const layouts = ['nn', 'nt', 'tn'] as const

/** [m, n, k] on both sides of every limit: vectors and quarters of them, thin kernels (≤ 12 sums, ≤ 16 dots),
 *  blocks of 6 × 8, slices of 96 rows and 384 steps, tiles of at most 1024 columns, several tiles. */
const shapes = [
  [1, 1, 1],
  [1, 7, 3],
  [7, 1, 5],
  [1, 131, 67],
  [2, 5, 11],
  [3, 29, 4],
  [4, 13, 17],
  [5, 11, 31],
  [8, 37, 13],
  [9, 23, 7],
  [13, 11, 19],
  [16, 43, 5],
  [17, 19, 23],
  [19, 17, 29],
  [41, 13, 37],
  [71, 3, 43],
  [53, 12, 47],
  [11, 521, 9],
  [95, 41, 3],
  [97, 31, 8],
  [31, 29, 383],
  [29, 23, 385],
  [2, 3, 769],
  [29, 1031, 3],
  [199, 397, 5],
  [3, 5, 0],
  [29, 31, 0],
] as const

const shapeOfA = (layout: Layout, m: number, k: number): Shape => (layout === 'tn' ? [k, m] : [m, k])
const shapeOfB = (layout: Layout, n: number, k: number): Shape => (layout === 'nt' ? [n, k] : [k, n])
const inputs = (length: number, seed: number) => Float32Array.from(randomArray(length, seed))

/** Tolerance of a sum of k products of normal numbers. The sum is about √k, and each of its k roundings is
 *  2⁻²⁴ of that. So the error has a standard deviation of √(k/2)·√k·2⁻²⁴. The worst of the elements here is
 *  within 6 of these. */
const tolerance = (k: number) => ({ atol: 4 * (k + 3) * 2 ** -24 })

async function product(
  device: Device,
  layout: Layout,
  a: Float32Array,
  aShape: Shape,
  b: Float32Array,
  bShape: Shape,
) {
  using _scope = device.scope()
  const out = matmul(device.tensor(a, aShape), device.tensor(b, bShape), layout)
  return { shape: out.shape, data: await out.data() }
}

/** `start` plus the product, given to the kernel in several parts of k. */
async function accumulated(
  device: Device,
  layout: Layout,
  { m, n, k, parts }: { m: number; n: number; k: number; parts: readonly number[] },
  a: Float32Array,
  b: Float32Array,
  start: Float32Array,
) {
  using _scope = device.scope()
  const out = device.tensor(start, [m, n])
  let first = 0
  for (const depth of parts) {
    const steps = (x: Float32Array, count: number, rows: boolean) =>
      device.tensor(
        x.filter((_, i) => {
          const at = (rows ? Math.floor(i / count) : i % k) - first
          return at >= 0 && at < depth
        }),
      )
    const left = steps(a, m, layout === 'tn')
    const right = steps(b, n, layout !== 'nt')
    const sizes = { batch: 1, m, n, k: depth, strideA: 0, strideB: 0, accumulate: true }
    kernelsOf(device).matmul(layout, left.handle, right.handle, out.handle, sizes)
    first += depth
  }
  return await out.data()
}

describeDevices('matmul', { cpu, gpu }, (device) => {
  describe.each(layouts)('%s', (layout) => {
    it.each(shapes)('is the f64 product, m %i n %i k %i', async (m, n, k) => {
      const a = inputs(m * k, 1)
      const b = inputs(n * k, 2)
      const found = await product(device(), layout, a, shapeOfA(layout, m, k), b, shapeOfB(layout, n, k))
      const sizes = { batch: 1, m, n, k, strideA: 0, strideB: 0 }
      expect(found.shape).toEqual([m, n])
      expectNear(
        found.data,
        matmulReference(layout, Float64Array.from(a), Float64Array.from(b), sizes),
        tolerance(k),
      )
    })

    it('takes batches, with either operand shared', async () => {
      for (const [m, n, k] of [
        [5, 7, 11],
        [23, 19, 17],
        [1, 13, 29],
        [37, 2, 3],
      ])
        for (const batch of [[3], [2, 5]])
          for (const shared of ['none', 'a', 'b']) {
            const many = sizeOf(batch)
            const a = inputs((shared === 'a' ? 1 : many) * m * k, 3)
            const b = inputs((shared === 'b' ? 1 : many) * n * k, 4)
            const aShape = [...(shared === 'a' ? [] : batch), ...shapeOfA(layout, m, k)]
            const bShape = [...(shared === 'b' ? [] : batch), ...shapeOfB(layout, n, k)]
            const found = await product(device(), layout, a, aShape, b, bShape)
            const expected = matmulReference(layout, Float64Array.from(a), Float64Array.from(b), {
              ...{ batch: many, m, n, k },
              strideA: shared === 'a' ? 0 : m * k,
              strideB: shared === 'b' ? 0 : n * k,
            })
            expect(found.shape).toEqual([...batch, m, n])
            expectNear(found.data, expected, tolerance(k))
          }
    })

    it.each([
      ['tiles', 23, 29],
      ['few rows', 5, 37],
      ['few columns', 41, 3],
    ])('adds to what is there, part of k after part: %s', async (_, m, n) => {
      const parts = [384, 768, 17]
      const k = 384 + 768 + 17
      const [a, b, start] = [inputs(m * k, 21), inputs(n * k, 22), inputs(m * n, 23)]
      const found = await accumulated(device(), layout, { m, n, k, parts }, a, b, start)
      const sizes = { batch: 1, m, n, k, strideA: 0, strideB: 0 }
      const expected = matmulReference(layout, Float64Array.from(a), Float64Array.from(b), sizes)
      expectNear(
        found,
        expected.map((x, i) => x + start[i]),
        tolerance(k),
      )
    })

    it('has gradients of empty batches of rows', async () => {
      using _scope = device().scope()
      const a = device().empty([2, ...shapeOfA(layout, 3, 0)])
      const b = device().empty(shapeOfB(layout, 5, 0))
      const { grads } = grad(() => sum(matmul(a, b, layout)), [a, b])
      expect(grads.map(({ shape }) => shape)).toEqual([a.shape, b.shape])
    })

    it('gives an empty result for an empty side', async () => {
      for (const [m, n] of [
        [0, 5],
        [7, 0],
        [0, 0],
      ]) {
        const a = shapeOfA(layout, m, 3)
        const b = shapeOfB(layout, n, 3)
        const { shape, data } = await product(device(), layout, inputs(m * 3, 5), a, inputs(n * 3, 6), b)
        expect(shape).toEqual([m, n])
        expect(data.length).toBe(0)
      }
    })

    it.each(['none', 'a', 'b'])(
      'has the gradients of the f64 product, shared operand: %s',
      async (shared) => {
        const [batch, m, n, k] = [2, 3, 5, 7]
        const aShape = [...(shared === 'a' ? [] : [batch]), ...shapeOfA(layout, m, k)]
        const bShape = [...(shared === 'b' ? [] : [batch]), ...shapeOfB(layout, n, k)]
        const strideA = shared === 'a' ? 0 : m * k
        const strideB = shared === 'b' ? 0 : n * k
        await checkGradients({
          inputs: [randomArray(sizeOf(aShape), 7), randomArray(sizeOf(bShape), 8)],
          reference: (a, b) => matmulReference(layout, a, b, { batch, m, n, k, strideA, strideB }),
          gradients: ([a, b], weights) => {
            using _scope = device().scope()
            const params = [device().tensor(a, aShape), device().tensor(b, bShape)]
            const outWeights = device().tensor(weights, [batch, m, n])
            const { grads } = grad(() => sum(mul(matmul(params[0], params[1], layout), outWeights)), params)
            return Promise.all(grads.map((g) => g.data()))
          },
          tolerance: tolerance(batch * k),
        })
      },
    )

    it('is exact on small whole numbers of any shape', async () => {
      const side = fc.integer({ min: 1, max: 40 })
      await fc.assert(
        fc.asyncProperty(
          side,
          side,
          side,
          fc.integer({ min: 1, max: 3 }),
          fc.nat(),
          async (m, n, k, batch, seed) => {
            const whole = (length: number, salt: number) =>
              inputs(length, seed + salt).map((x) => Math.round(4 * x))
            const a = whole(batch * m * k, 0)
            const b = whole(batch * n * k, 1)
            const aShape = [batch, ...shapeOfA(layout, m, k)]
            const bShape = [batch, ...shapeOfB(layout, n, k)]
            const { data } = await product(device(), layout, a, aShape, b, bShape)
            const sizes = { batch, m, n, k, strideA: m * k, strideB: n * k }
            const expected = matmulReference(layout, Float64Array.from(a), Float64Array.from(b), sizes)
            expectNear(data, expected, { atol: 0 })
          },
        ),
        { seed: 13, numRuns: 30 },
      )
    })

    it('keeps a NaN in the row and the column it belongs to', async () => {
      for (const [m, n, k] of [
        [1, 7, 5],
        [3, 11, 7],
        [11, 3, 6],
        [23, 29, 9],
      ]) {
        const a = inputs(m * k, 9)
        const b = inputs(n * k, 10)
        const [row, col, depth] = [m - 1, n - 2, k - 1]
        a[layout === 'tn' ? depth * m + row : row * k + depth] = Number.NaN
        b[layout === 'nt' ? col * k + depth : depth * n + col] = Number.NaN
        const { data } = await product(device(), layout, a, shapeOfA(layout, m, k), b, shapeOfB(layout, n, k))
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++)
            expect(Number.isNaN(data[i * n + j]), `m ${m} n ${n}: element ${i}, ${j}`).toBe(
              i === row || j === col,
            )
      }
    })
  })

  it('frees what its gradients used', () => {
    const { liveBuffers } = device().memory
    {
      using _scope = device().scope()
      const a = device().tensor(inputs(2 * 3 * 5, 11), [2, 3, 5])
      const b = device().tensor(inputs(7 * 5, 12), [7, 5])
      grad(() => sum(matmul(a, b, 'nt')), [a, b])
    }
    expect(device().memory.liveBuffers).toBe(liveBuffers)
  })
})

describe('matmul on several threads', () => {
  const devices: Device[] = []
  beforeAll(async () => {
    for (const threads of [1, 2, 3]) devices.push(await cpu({ threads }))
  })
  afterAll(() => Promise.all(devices.map((device) => device.close())))

  it.each([
    ['tiles', 331, 433, 397],
    ['few rows', 5, 1511, 131],
    ['few columns', 1511, 3, 131],
  ])('has the same bits as on one: %s', async (_, m, n, k) => {
    for (const layout of layouts) {
      const a = inputs(m * k, 13)
      const b = inputs(n * k, 14)
      const aShape = shapeOfA(layout, m, k)
      const bShape = shapeOfB(layout, n, k)
      const [one, ...rest] = await Promise.all(
        devices.map((device) => product(device, layout, a, aShape, b, bShape)),
      )
      for (const { data } of rest) expect(data.every((value, i) => Object.is(value, one.data[i]))).toBe(true)
    }
  })
})

describe('matmul on the cpu', () => {
  it.each([
    ['tiles', 331, 433],
    ['few rows', 5, 1511],
    ['few columns', 1511, 3],
  ])('has the same bits in one product as in parts of k that add up: %s', async (_, m, n) => {
    const device = await cpu({ threads: 1 })
    const parts = [384, 768, 91]
    const k = 384 + 768 + 91
    const [a, b] = [inputs(m * k, 15), inputs(n * k, 16)]
    const whole = await product(device, 'tn', a, [k, m], b, [k, n])
    const found = await accumulated(device, 'tn', { m, n, k, parts }, a, b, new Float32Array(m * n))
    await device.close()
    expect(found.every((value, i) => Object.is(value, whole.data[i]))).toBe(true)
  })
})

describe('matmul refuses', () => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
  })
  afterAll(() => device.close())
  const empty = (...shape: number[]) => device.empty(shape)

  it.each(layouts)('%s operands whose inner axes differ', (layout) => {
    expect(() => matmul(empty(2, 3), empty(5, 7), layout)).toThrow(
      new ShapeError(
        `matmul ${layout}: inner axes must be equal, and batch axes equal or absent in one operand, got [2, 3] and [5, 7]`,
      ),
    )
  })

  it('batches that differ', () => {
    expect(() => matmul(empty(2, 3, 5), empty(7, 5, 3))).toThrow(
      /batch axes equal .* got \[2, 3, 5\] and \[7, 5, 3\]/,
    )
  })

  it('vectors', () => {
    expect(() => matmul(empty(3), empty(3, 5))).toThrow('matmul: a must have at least 2 axes, got [3]')
    expect(() => matmul(empty(2, 3), empty(3))).toThrow('matmul: b must have at least 2 axes, got [3]')
  })

  it('operands of two devices', async () => {
    const other = await cpu({ threads: 1 })
    expect(() => matmul(empty(2, 3), other.empty([3, 5]))).toThrow('matmul: tensors must live on one device')
    await other.close()
  })
})
