import { expectNear, gpuModes, randomArray, type Tolerance } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gpuKernels } from '../../generated/gpu.ts'
import type { KernelTable } from '../../generated/table.ts'
import { GpuEngine } from './engine.ts'
import { openRuntime } from './gpu.ts'

const info = { backend: 'gpu', variant: 'webgpu', threads: 1, fallbacks: [] } as const
const { NaN: nan, POSITIVE_INFINITY: inf } = Number

/** Compares the hand-written kernels with the portable ones: the same numbers, and NaN in the same places.
 *  The shared suites compare the hand-written ones with references. */
describe.runIf(gpuModes.includes('webgpu'))('hand-written kernels against those of gpu.js', () => {
  const engines: GpuEngine[] = []
  beforeAll(async () => {
    for (const kernels of ['portable', 'tuned'] as const)
      engines.push(new GpuEngine(await openRuntime('webgpu', kernels), info))
  })
  afterAll(() => Promise.all(engines.map((engine) => engine.close())))

  interface Run {
    readonly engine: GpuEngine
    readonly kernels: KernelTable
    put(values: ArrayLike<number>): number
    make(length: number): number
  }

  /** Compares the buffers that `f` gives. */
  async function same(f: (run: Run) => readonly number[], tolerance: Tolerance) {
    const results = engines.map(async (engine) => {
      const put = (values: ArrayLike<number>) => {
        const handle = engine.alloc(4 * values.length)
        engine.write(handle, values)
        return handle
      }
      const make = (length: number) => engine.alloc(4 * length)
      const handles = f({ engine, kernels: gpuKernels(engine), put, make })
      return Promise.all(handles.map((handle) => engine.read(handle, 'f32', engine.lengthOf(handle))))
    })
    const [portable, tuned] = await Promise.all(results)
    expect(portable.length).toBeGreaterThan(0)
    for (const [i, values] of portable.entries()) expectNear(tuned[i], Float64Array.from(values), tolerance)
  }

  const random = (length: number, seed: number) => Float32Array.from(randomArray(length, seed))
  /** Row lengths: some with one to several elements per thread for few threads, and one for many threads. */
  const COLS = [1, 3, 31, 32, 33, 2053]
  const ROWS = 5

  it('are there in mode webgpu, unless they are not wanted', () => {
    expect(engines.map(({ hasWgsl }) => hasWgsl)).toEqual([false, true])
  })

  it('count what goes over to the GPU and comes back', async () => {
    for (const [i, engine] of engines.entries()) {
      const before = await engine.traffic()
      const [x, y] = [engine.alloc(20), engine.alloc(20)]
      engine.write(x, random(5, 1))
      gpuKernels(engine).rmsNorm(x, y, 1, 5, 1e-6)
      await engine.read(y, 'f32', 5)
      const after = await engine.traffic()
      if (!before || !after) throw new Error('mode webgpu must count')
      const calls = after.calls - before.calls
      expect(calls).toBe([2, 1][i]) // the sum of squares and the division, or both in one
      expect(after.uploadedBytes - before.uploadedBytes).toBe(20)
      expect(after.uniformBytes - before.uniformBytes).toBe(256 * calls)
      expect(after.readBytes - before.readBytes).toBe(20)
    }
  })

  it.each(COLS)('rmsNorm and its gradient, rows of %i', (cols) =>
    same(
      ({ kernels, put, make }) => {
        const [x, dOut] = [put(random(ROWS * cols, 1)), put(random(ROWS * cols, 2))]
        const [y, dX] = [make(ROWS * cols), make(ROWS * cols)]
        kernels.rmsNorm(x, y, ROWS, cols, 1e-6)
        kernels.rmsNormGrad(x, dOut, dX, ROWS, cols, 1e-6)
        return [y, dX]
      },
      { atol: 1e-6, rtol: 2e-6 },
    ),
  )

  it.each(COLS)('softmax and its gradient, rows of %i', (cols) =>
    same(
      ({ kernels, put, make }) => {
        const x = random(ROWS * cols, 3).map((v, i) => 5 * v + 100 * Math.floor(i / cols))
        const [y, dX] = [make(ROWS * cols), make(ROWS * cols)]
        kernels.softmax(put(x), y, ROWS, cols)
        kernels.softmaxGrad(y, put(random(ROWS * cols, 4)), dX, ROWS, cols)
        return [y, dX]
      },
      { atol: 1e-6, rtol: 3e-6 },
    ),
  )

  /** Rows with NaN, an infinity, nothing but −∞, and numbers. */
  const hardRows = (cols: number) =>
    [nan, inf, -inf, 0].flatMap((hard, row) =>
      [...random(cols, 5 + row)].map((v, col) => (row === 2 || (col === cols - 1 && row < 2) ? hard : v)),
    )

  it.each([2, 131])('softmax of numbers that are none, rows of %i', (cols) =>
    same(
      ({ kernels, put, make }) => {
        const y = make(4 * cols)
        kernels.softmax(put(hardRows(cols)), y, 4, cols)
        return [y]
      },
      { rtol: 2e-6 },
    ),
  )

  it.each(COLS)('crossEntropy, rows of %i', (cols) =>
    same(
      ({ kernels, put, make }) => {
        const logits = put(random(ROWS * cols, 6).map((v) => 4 * v + 50))
        const [logSumExp, loss, broken] = [make(ROWS), make(2), make(2)]
        kernels.crossEntropy(logits, put(Int32Array.of(0, cols - 1, -1, 0, -7)), logSumExp, loss, ROWS, cols)
        kernels.crossEntropy(logits, put(Int32Array.of(0, cols, 0, 0, 0)), make(ROWS), broken, ROWS, cols)
        return [logSumExp, loss, broken]
      },
      { rtol: 2e-6 },
    ),
  )

  it.each([
    [inf, 0],
    [2, 0],
    [inf, 3],
    [4, 3],
  ])('logitLoss, clamp %d, softcap %d', async (clamp, softcap) => {
    for (const [cols, gradient] of [
      [7, true],
      [301, true],
      [301, false],
    ] as const)
      await same(
        ({ kernels, put, make }) => {
          const z = put(random(3 * cols, 8).map((v) => 3 * v))
          const losses = put(random(ROWS, 9))
          const targets = put(Int32Array.of(0, 1, -1, cols - 1, 5))
          const count = make(1)
          kernels.targetCount(targets, count, ROWS)
          kernels.logitLoss(z, targets, count, losses, { rows: 3, cols, first: 1, clamp, softcap, gradient })
          return [z, losses]
        },
        { atol: 1e-6, rtol: 3e-6 },
      )
  })
})
