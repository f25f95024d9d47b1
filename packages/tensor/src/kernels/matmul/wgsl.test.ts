import { expectNear, gpuModes } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GpuEngine } from '../../backends/gpu/engine.ts'
import { openRuntime } from '../../backends/gpu/gpu.ts'
import { normal } from '../testing.ts'
import type { Epilogue } from './epilogue.ts'
import type { MatmulKernel, MatmulSizes } from './matmul.ts'
import { matmulReference } from './reference.ts'
import { matmulWgsl } from './wgsl.ts'

const LAYOUTS = ['nn', 'nt', 'tn'] as const

/** [m, n, k]: edges of small tiles, with rows of whole and of partial vectors; parts of k, which are at least
 *  256 deep. */
const SHAPES = [
  [8, 8, 1],
  [32, 32, 16],
  [36, 40, 20],
  [31, 33, 17],
  [9, 130, 15],
  [129, 12, 34],
  [32, 36, 1028],
  [33, 31, 1023],
] as const

describe.runIf(gpuModes.includes('webgpu'))('hand-written matmul', () => {
  let engine: GpuEngine
  let matmul: MatmulKernel
  beforeAll(async () => {
    const info = { backend: 'gpu', variant: 'webgpu', threads: 1, fallbacks: [] } as const
    engine = new GpuEngine(await openRuntime('webgpu'), info)
    matmul = matmulWgsl(engine)
  })
  afterAll(() => engine.close())

  const put = (values: Float32Array): number => {
    const handle = engine.alloc(4 * values.length)
    engine.write(handle, values)
    return handle
  }

  type Sizes = Omit<MatmulSizes, 'epilogue'>

  /** Compares with f64: the product, the old contents and the epilogue. */
  async function check(layout: (typeof LAYOUTS)[number], sizes: Sizes, epilogue?: Epilogue['kind']) {
    const { batch, m, n, k, strideA, strideB, accumulate = false } = sizes
    const a = normal(strideA === 0 ? m * k : batch * strideA, 1)
    const b = normal(strideB === 0 ? n * k : batch * strideB, 2)
    const [start, residual] = [normal(batch * m * n, 3), normal(batch * m * n, 4)]
    const handles = [a, b, start, residual].map(put)
    const [, , out, added] = handles
    matmul(layout, handles[0], handles[1], out, {
      ...sizes,
      ...(epilogue === 'add' && { epilogue: { kind: 'add', residual: added } }),
      ...(epilogue === 'reluSquared' && { epilogue: { kind: 'reluSquared' } }),
    })
    const found = await engine.read(out, 'f32', start.length)
    for (const handle of handles) engine.free(handle)
    const products = matmulReference(layout, Float64Array.from(a), Float64Array.from(b), sizes)
    const expected = products.map((product, i) => {
      const sum = product + (accumulate ? start[i] : 0) + (epilogue === 'add' ? residual[i] : 0)
      return epilogue === 'reluSquared' ? Math.max(sum, 0) ** 2 : sum
    })
    // Errors as in matmul.test.ts. A square doubles the relative error.
    const atol = 4 * (k + 3) * 2 ** -24
    expectNear(found, expected, { atol: epilogue === 'reluSquared' ? atol * 8 * Math.sqrt(k + 1) : atol })
  }

  const one = { batch: 1, strideA: 0, strideB: 0 }

  describe.each(LAYOUTS)('%s', (layout) => {
    it.each(SHAPES)('is the f64 product, m %i n %i k %i', (m, n, k) => check(layout, { ...one, m, n, k }))
  })

  // Not every shape in all layouts, because SwiftShader takes a second or two to compile such a tile.
  // linear.test.ts has a case of tn.
  it.each([
    ['nn', 1024, 512, 4],
    ['nn', 1021, 515, 3],
    ['nt', 515, 1021, 3],
  ] as const)('large tiles give the f64 product, %s, m %i n %i k %i', (layout, m, n, k) =>
    check(layout, { ...one, m, n, k }),
  )

  it.each([
    ['small tiles of vectors', 32, 40, 20],
    ['small tiles with edges', 31, 33, 17],
    ['parts of k', 32, 36, 1028],
    ['thin ones', 3, 36, 20],
  ])('adds to what is there and does the epilogue: %s', async (_, m, n, k) => {
    await check('nt', { ...one, m, n, k }, 'reluSquared')
    await check('nt', { ...one, m, n, k, accumulate: true }, 'add')
  })

  it.each(LAYOUTS)('takes batches with either operand shared, %s', async (layout) => {
    for (const [m, n, k] of [
      [12, 20, 8],
      [13, 35, 1027],
    ]) {
      await check(layout, { batch: 3, m, n, k, strideA: m * k, strideB: n * k })
      await check(layout, { batch: 3, m, n, k, strideA: 0, strideB: n * k })
      await check(layout, { batch: 2, m, n, k, strideA: m * k, strideB: 0 })
    }
  })

  it('keeps NaN in its row and column, through relu² too', async () => {
    const [m, n, k] = [33, 20, 9]
    const [a, b] = [normal(m * k, 5), normal(n * k, 6)]
    a[17 * k + 8] = Number.NaN
    b[19 * k] = Number.NaN
    const [left, right, out] = [put(a), put(b), engine.alloc(4 * m * n)]
    matmul('nt', left, right, out, { ...one, m, n, k, epilogue: { kind: 'reluSquared' } })
    const found = await engine.read(out, 'f32', m * n)
    expect(
      found.map((value, i) => Number(Number.isNaN(value) !== (Math.floor(i / n) === 17 || i % n === 19))),
    ).toEqual(new Float32Array(m * n))
  })
})
