import { expectNear, randomArray } from '@tau/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpu } from '../../backends/cpu/cpu.ts'
import type { GemmLibrary } from '../../backends/cpu/gemm.ts'
import type { Device } from '../../device.ts'
import { BackendError } from '../../errors.ts'
import { profile } from '../../profile/profile.ts'
import { kernelsOf } from '../table.ts'
import { matmul } from './matmul.ts'
import { matmulReference } from './reference.ts'

/** A library in plain JavaScript. `wrong` is added to every element; `first` runs before it is made. */
const naive = (wrong = 0, first = ''): GemmLibrary => ({
  open: () => ({
    name: 'naive',
    source: `${first}
    return (transA, transB, m, n, k, a, lda, b, ldb, adds, c, ldc) => {
      const x = new Float32Array(memory.buffer)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = ${wrong}
          for (let l = 0; l < k; l++)
            sum += x[a / 4 + (transA ? l * lda + i : i * lda + l)] * x[b / 4 + (transB ? j * ldb + l : l * ldb + j)]
          x[c / 4 + i * ldc + j] = adds ? x[c / 4 + i * ldc + j] + sum : sum
        }
    }`,
  }),
})

describe('matmul through a library', () => {
  let devices: Device[]
  beforeAll(async () => {
    devices = await Promise.all(
      [1, 2, 4].map((threads) => cpu({ threads, simd: 'plain', gemm: naive(), strict: true })),
    )
  })
  afterAll(() => Promise.all(devices.map((device) => device.close())))

  it('says which', () => {
    expect(devices[1].info).toEqual({ backend: 'cpu', variant: 'simd+naive', threads: 2, fallbacks: [] })
  })

  it('stands in a profile under its own name; thin products are ours', async () => {
    const [, device] = devices
    using _scope = device.scope()
    const ones = (...shape: number[]) =>
      device.tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(1), shape)
    const operands = [
      [ones(59, 61), ones(61, 67)],
      [ones(1, 61), ones(61, 67)],
    ]
    const { profile: found } = await profile(device, () => operands.map(([a, b]) => matmul(a, b)))
    expect(found.launches.map(({ build, work: { flops, shape } }) => [build, flops, shape])).toEqual([
      ['naive', 2 * 59 * 67 * 61, 'nn 59 x 67 x 61'],
      ['simd', 2 * 67 * 61, 'nn 1 x 67 x 61'],
    ])
  })

  it('is within rounding of the f64 reference in every layout, with batches, shared operands and sums, and has the same bits on 1, 2 and 4 threads', async () => {
    const size = fc.integer({ min: 5, max: 173 })
    const batches = fc.constantFrom([1, 1, 1], [3, 1, 1], [3, 0, 1], [3, 1, 0])
    const layouts = fc.constantFrom('nn', 'nt', 'tn')
    await fc.assert(
      fc.asyncProperty(
        ...([size, size, size, batches, layouts, fc.boolean()] as const),
        async (m, n, k, [batch, moveA, moveB], layout, accumulate) => {
          fc.pre(m * n * k >= 2 ** 14)
          const sizes = { batch, m, n, k, strideA: moveA * m * k, strideB: moveB * n * k, accumulate }
          const numbers = [batch * m * k, batch * k * n, batch * m * n].map((length, i) =>
            Float32Array.from(randomArray(length, i)),
          )
          const results = await Promise.all(
            devices.map((device) => {
              using _scope = device.scope()
              const [a, b, out] = numbers.map((values) => device.tensor(values))
              kernelsOf(device).matmul(layout, a.handle, b.handle, out.handle, sizes)
              return out.data()
            }),
          )
          const expected = matmulReference(
            layout,
            Float64Array.from(numbers[0]),
            Float64Array.from(numbers[1]),
            sizes,
          )
          if (accumulate) for (const [i, value] of numbers[2].entries()) expected[i] += value
          expectNear(results[0], expected, { atol: 1e-5, rtol: 1e-6 })
          expect(results[1]).toEqual(results[0])
          expect(results[2]).toEqual(results[0])
        },
      ),
      { seed: 5, numRuns: 40 },
    )
  })
})

describe('a library that cannot be used', () => {
  const missing: GemmLibrary = {
    open: () => {
      throw new Error('no such file')
    },
  }

  it.each([
    ['missing', missing, 'products in WebAssembly: no such file'],
    ['wrong', naive(0.5), 'products in WebAssembly: naive: a test product must be 34, got 34.5'],
    ['broken', naive(0, 'nothing()'), 'products in WebAssembly: nothing is not defined'],
  ])('%s: our own kernels multiply, and the device says why; strict refuses', async (_, gemm, reason) => {
    const device = await cpu({ threads: 2, simd: 'plain', gemm })
    expect(device.info).toMatchObject({ variant: 'simd', fallbacks: [reason] })
    const product = matmul(
      device.tensor(new Float32Array(64 ** 2).fill(1), [64, 64]),
      device.tensor(new Float32Array(64 ** 2).fill(2), [64, 64]),
    )
    expect(await product.data()).toEqual(new Float32Array(64 ** 2).fill(128))
    await device.close()
    await expect(cpu({ threads: 2, simd: 'plain', gemm, strict: true })).rejects.toThrow(BackendError)
    await expect(cpu({ threads: 2, simd: 'plain', gemm, strict: true })).rejects.toThrow(reason)
  })

  it('that fails on another thread makes the product throw', async () => {
    const onlyHere = naive(
      0,
      `if (!process.getBuiltinModule('node:worker_threads').isMainThread) throw new Error('not here')`,
    )
    const device = await cpu({ threads: 2, simd: 'plain', gemm: onlyHere })
    const x = device.tensor(new Float32Array(512 ** 2), [512, 512])
    expect(() => {
      for (let i = 0; i < 100; i++) matmul(x, x).dispose()
    }).toThrow('not here (in a worker thread)')
    await device.close()
  })
})
