import { gpuModes } from '@tau/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BackendError } from '../../errors.ts'
import { gpuKernels } from '../../generated/gpu.ts'
import { GpuEngine } from './engine.ts'
import { openRuntime } from './gpu.ts'
import type { GpuKernel } from './kernel.ts'
import type { GpuMode, GpuRuntime } from './runtime.ts'

const ADD_ONE: GpuKernel = { name: 'addOne', args: { x: 'buffer' }, body: 'return x[this.thread.x] + 1' }
const DOUBLE: GpuKernel = { name: 'double', args: { x: 'buffer' }, body: 'return 2 * x[this.thread.x]' }
const GRID: GpuKernel = {
  name: 'grid',
  args: { step: 'int' },
  body: 'return this.thread.x + step * this.thread.y + step * step * this.thread.z',
}
const BROKEN: GpuKernel = { name: 'broken', args: { x: 'buffer' }, body: 'return nowhere[this.thread.x]' }

const info = (mode: GpuMode) => ({ backend: 'gpu', variant: mode, threads: 1, fallbacks: [] }) as const

/** A slow runtime: every result comes later, and earlier calls take longer than later ones. */
async function openLate(mode: GpuMode): Promise<GpuRuntime> {
  const runtime = await openRuntime(mode)
  const { compile } = runtime
  let calls = 0
  runtime.compile = (kernel, rank) => {
    const run = compile.call(runtime, kernel, rank)
    return async (args, output) => {
      await new Promise((resolve) => setTimeout(resolve, 8 - (calls++ % 8)))
      return run(args, output)
    }
  }
  return runtime
}

const openers = { 'at once': openRuntime, late: openLate }
const cases = gpuModes.flatMap((mode) =>
  Object.entries(openers).map(([when, open]) => ({ mode, when, open })),
)

describe.each(cases)('gpu engine in mode $mode, kernels that answer $when', ({ mode, open }) => {
  let engine: GpuEngine
  const rejections: unknown[] = []
  const onRejection = (reason: unknown) => rejections.push(reason)

  beforeEach(async () => {
    rejections.length = 0
    process.on('unhandledRejection', onRejection)
    engine = new GpuEngine(await open(mode), info(mode))
  })
  afterEach(async () => {
    await engine.close()
    await new Promise((resolve) => setTimeout(resolve)) // unhandled rejections are reported after the microtasks
    process.off('unhandledRejection', onRejection)
    expect(rejections).toEqual([])
  })

  const put = (...values: number[]): number => {
    const handle = engine.alloc(4 * values.length)
    engine.write(handle, values)
    return handle
  }
  const get = async (handle: number) => [...(await engine.read(handle, 'f32', engine.lengthOf(handle)))]

  it('runs calls in order, in place, without waiting in between', async () => {
    const [addOne, double] = [engine.kernel(ADD_ONE), engine.kernel(DOUBLE)]
    const x = put(1, 2, 3)
    for (let i = 0; i < 5; i++) {
      addOne([x], [3], x)
      double([x], [3], x)
    }
    expect(await get(x)).toEqual([94, 126, 158]) // 32 x + 62
  })

  it('keeps outputs of different sizes apart, before and after the first call has run', async () => {
    const grid = engine.kernel(GRID)
    const run = (...output: [number, number, number]) => {
      const out = engine.alloc(4 * output.reduce((product, n) => product * n))
      grid([100], output, out)
      return { out, output }
    }
    const runs = [run(3, 2, 5), run(7, 1, 1), run(1, 5, 1), run(2, 3, 2)]
    for (const { out, output } of [...runs, run(5, 2, 3)]) {
      const [nx, ny, nz] = output
      const expected = Array.from({ length: nx * ny * nz }, (_, i) => {
        const [x, y, z] = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))]
        return x + 100 * y + 10_000 * z
      })
      expect(await get(out)).toEqual(expected)
    }
  })

  it('reads the values of the moment of the call', async () => {
    const addOne = engine.kernel(ADD_ONE)
    const x = put(1)
    const before = get(x)
    addOne([x], [1], x)
    const between = get(x)
    engine.write(x, [10])
    const after = get(x)
    engine.free(x)
    expect(await Promise.all([before, between, after])).toEqual([[1], [2], [10]])
  })

  it('copies at the call of write, and gives copies', async () => {
    const values = Float32Array.of(1, 2)
    const x = engine.alloc(8)
    engine.write(x, values)
    values.fill(9)
    const first = await engine.read(x, 'f32', 2)
    first.fill(7)
    expect(await get(x)).toEqual([1, 2])
  })

  it('keeps 32-bit integers', async () => {
    const ids = Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 2 ** 24 + 1, -1)
    const x = engine.alloc(16)
    engine.write(x, ids)
    expect(await engine.read(x, 'i32', 4)).toEqual(ids)
    engine.write(x, Float32Array.of(5, -3, 0, 2 ** 24))
    expect(await engine.read(x, 'i32', 4)).toEqual(Int32Array.of(5, -3, 0, 2 ** 24))
  })

  it('has empty buffers and zeros where nothing was written', async () => {
    const empty = put()
    engine.kernel(ADD_ONE)([empty], [0], empty)
    expect(await get(empty)).toEqual([])
    const fresh = engine.alloc(8)
    expect(await get(fresh)).toEqual([0, 0])
  })

  it('throws the error of a kernel at the next read, once, and again for what depends on it', async () => {
    const x = put(1)
    const [bad, worse] = [engine.alloc(4), engine.alloc(4)]
    engine.kernel(BROKEN)([x], [1], bad)
    engine.kernel(ADD_ONE)([bad], [1], worse)
    engine.kernel(ADD_ONE)([x], [1], x)
    await expect(get(x)).rejects.toThrow(BackendError)
    expect(await get(x)).toEqual([2])
    await expect(get(bad)).rejects.toThrow(/^gpu: kernel broken failed: /)
    await expect(get(worse)).rejects.toThrow(/^gpu: kernel broken failed: /)
    engine.write(bad, [4])
    engine.kernel(ADD_ONE)([bad], [1], worse)
    expect(await get(worse)).toEqual([5])
  })

  it('throws an error that nobody has read when it closes', async () => {
    const other = new GpuEngine(await open(mode), info(mode))
    const x = other.alloc(4)
    other.kernel(BROKEN)([x], [1], x)
    await expect(other.close()).rejects.toThrow(/^gpu: kernel broken failed: /)
  })

  it('finishes what was queued when it closes, and refuses what comes after', async () => {
    const other = new GpuEngine(await open(mode), info(mode))
    const x = other.alloc(4)
    const launch = other.kernel(ADD_ONE)
    launch([x], [1], x)
    const read = other.read(x, 'f32', 1)
    const closed = other.close()
    expect([...(await read)]).toEqual([1])
    await closed
    await other.close()
    expect(() => other.alloc(4)).toThrow('alloc: the device must be open, got a closed one')
    expect(() => other.write(x, [1])).toThrow(BackendError)
    expect(() => launch([x], [1], x)).toThrow(BackendError)
    await expect(other.read(x, 'f32', 1)).rejects.toThrow(BackendError)
    other.free(x)
  })

  it('frees in order, and knows freed buffers', async () => {
    const start = engine.liveSlots
    const addOne = engine.kernel(ADD_ONE)
    const x = put(1)
    const out = engine.alloc(4)
    addOne([x], [1], out)
    engine.free(x)
    expect(await get(out)).toEqual([2])
    expect(() => addOne([x], [1], out)).toThrow('internal: addOne: the buffer must be live')
    engine.free(x)
    engine.free(out)
    expect(engine.liveSlots).toBe(start)
  })

  it('frees the scratch memory of every kernel', async () => {
    const kernels = gpuKernels(engine)
    const x = put(...Array.from({ length: 3 * 131 }, (_, i) => i % 7))
    const ids = put(1, 0, 1)
    const [y, loss, one] = [engine.alloc(12 * 131), engine.alloc(8), engine.alloc(4)]
    const start = engine.liveSlots
    kernels.softmax(x, y, 3, 131)
    kernels.softmaxGrad(y, x, y, 3, 131)
    kernels.rmsNorm(x, y, 3, 131, 1e-5)
    kernels.rmsNormGrad(x, y, y, 3, 131, 1e-5)
    kernels.reduce('sum', x, one, 1, 393, 1)
    kernels.crossEntropy(x, ids, ids, loss, 3, 131)
    kernels.scatterAdd(x, ids, y, 3, 3, 131)
    kernels.globalNorm([{ handle: x, length: 393 }], one)
    expect(engine.liveSlots).toBe(start)
    expect(await get(loss)).toHaveLength(2)
  })

  it('checks what a launch is given', () => {
    const x = put(1, 2)
    const grid = engine.kernel(GRID)
    expect(() => engine.kernel(ADD_ONE)([], [2], x)).toThrow('internal: addOne takes 1 arguments, got 0')
    expect(() => engine.kernel(ADD_ONE)([x], [1], x)).toThrow(
      "output must hold the target's 2 elements, got [1]",
    )
    expect(() => grid([1], [2, 2], x)).toThrow('got [2, 2]')
    expect(() => grid([0.5], [2], x)).toThrow('grid: step must be a whole number below 2^31, got 0.5')
    expect(() => grid([2 ** 31], [2], x)).toThrow(BackendError)
    expect(() => engine.write(x, [1])).toThrow("internal: write must fill the buffer's 2 elements, got 1")
    expect(() => engine.alloc(2 ** 40)).toThrow(
      /^alloc: a gpu buffer must hold at most \d+ elements \(.+\), got 274877906944; /,
    )
    expect(() => engine.alloc(4 * (engine.maxLength + 1))).toThrow(`at most ${engine.maxLength} elements`)
  })
})

describe('gpu engine', () => {
  it('compiles a kernel once for all sizes of an output rank, which axes of length 1 at the end do not count to', async () => {
    const runtime = await openRuntime('webasm')
    const { compile } = runtime
    const compiled: string[] = []
    runtime.compile = (kernel, rank) => {
      compiled.push(`${kernel.name} ${rank}`)
      return compile.call(runtime, kernel, rank)
    }
    const engine = new GpuEngine(runtime, info('webasm'))
    for (const n of [1, 5, 3, 5, 1023]) {
      const x = engine.alloc(4 * n)
      engine.kernel(ADD_ONE)([x], [n], x)
      engine.kernel(ADD_ONE)([x], [n, 1], x)
      expect([...(await engine.read(x, 'f32', n))]).toEqual(Array(n).fill(2))
    }
    expect(compiled).toEqual(['addOne 1'])
    await engine.close()
  })
})
