import { gpuModes } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BackendError } from '../../errors.ts'
import { copyGpu } from '../../kernels/copy/gpu.ts'
import { copyWgsl } from '../../kernels/copy/wgsl.ts'
import { GpuEngine } from './engine.ts'
import { openRuntime } from './gpu.ts'
import { linearGroups, type WgslKernel } from './wgsl.ts'

const MAIN = `@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.length) { return; }`

/** Sum and difference of two buffers, the first of them in place. */
const SUM_AND_DIFFERENCE: WgslKernel = {
  name: 'sumAndDifference',
  uniforms: { length: 'u32', scale: 'f32', shift: 'i32' },
  buffers: { a: { access: 'update' }, b: { access: 'read' }, difference: { access: 'write' } },
  code: `${MAIN}
  let old = a[i];
  a[i] = params.scale * (old + b[i]) + f32(params.shift);
  difference[i] = old - b[i];
}`,
}

const REVERSE: WgslKernel = {
  name: 'reverse',
  uniforms: { length: 'u32' },
  buffers: { x: { access: 'read' }, y: { access: 'write' } },
  code: `${MAIN}
  y[i] = x[params.length - 1u - i];
}`,
}

const COUNT: WgslKernel = {
  name: 'count',
  uniforms: { length: 'u32' },
  buffers: { x: { access: 'write' } },
  code: `${MAIN}
  x[i] = f32(i);
}`,
}

const info = { backend: 'gpu', variant: 'webgpu', threads: 1, fallbacks: [] } as const

describe.runIf(gpuModes.includes('webgpu'))('hand-written kernels', () => {
  let engine: GpuEngine
  beforeAll(async () => {
    engine = new GpuEngine(await openRuntime('webgpu'), info)
  })
  afterAll(() => engine.close())

  const put = (values: readonly number[] | Int32Array): number => {
    const handle = engine.alloc(4 * values.length)
    engine.write(handle, values)
    return handle
  }
  const get = async (handle: number) => [...(await engine.read(handle, 'f32', engine.lengthOf(handle)))]

  it('change, write and read buffers, in the order of all calls', async () => {
    const run = engine.wgsl(SUM_AND_DIFFERENCE)
    const double = engine.kernel({
      name: 'double',
      args: { x: 'buffer' },
      body: 'return 2 * x[this.thread.x]',
    })
    const [a, b, difference] = [put([1, 2, 3]), put([10, 20, 30]), engine.alloc(12)]
    run([a, b, difference], [3, 0.5, -1], linearGroups(3, 64))
    double([a], [3], a)
    run([a, b, difference], [3, 2, 0], linearGroups(3, 64))
    expect(await get(a)).toEqual([38, 80, 122])
    expect(await get(difference)).toEqual([-1, 0, 1])
    expect(await get(b)).toEqual([10, 20, 30])
  })

  it('may read what they write in full', async () => {
    const x = put([1, 2, 3, 4])
    engine.wgsl(REVERSE)([x, x], [4], linearGroups(4, 64))
    expect(await get(x)).toEqual([4, 3, 2, 1])
  })

  it('have more threads than an axis has workgroups for', async () => {
    const n = 65_535 * 64 + 3
    const x = engine.alloc(4 * n)
    engine.wgsl(COUNT)([x], [n], linearGroups(n, 64))
    const values = await engine.read(x, 'f32', n)
    expect([values[1], values[n - 4], values[n - 1]]).toEqual([1, n - 4, n - 1])
    engine.free(x)
  })

  it('find zeros where nothing was written, and replace integers', async () => {
    const [fresh, ones, difference] = [engine.alloc(8), put(Int32Array.of(1, 1)), engine.alloc(8)]
    engine.wgsl(SUM_AND_DIFFERENCE)([ones, fresh, difference], [2, 3, 0], linearGroups(2, 64))
    expect(await engine.read(ones, 'i32', 2)).toEqual(Int32Array.of(3, 3))
    expect(await get(fresh)).toEqual([0, 0])
  })

  it('report what does not compile, and pass the failure on', async () => {
    const broken: WgslKernel = { ...COUNT, name: 'broken', code: COUNT.code.replace('f32(i)', 'nowhere') }
    const x = engine.alloc(8)
    engine.wgsl(broken)([x], [2], [1, 1, 1])
    engine.wgsl(REVERSE)([x, x], [2], [1, 1, 1])
    const failure = get(x)
    await expect(failure).rejects.toThrow(BackendError)
    await expect(failure).rejects.toThrow(
      /^gpu: kernel broken failed: its WGSL must compile, got \d+:\d+ .*nowhere/,
    )
    engine.wgsl(COUNT)([x], [2], [1, 1, 1])
    expect(await get(x)).toEqual([0, 1])
  })

  it('are checked', async () => {
    const x = put([1])
    const count = engine.wgsl(COUNT)
    expect(() => count([], [1], [1, 1, 1])).toThrow('internal: count takes 1 buffers, got 0')
    const nine = Object.fromEntries([...'abcdefghi'].map((name) => [name, { access: 'read' } as const]))
    expect(() => engine.wgsl({ ...COUNT, buffers: nine })).toThrow('must take at most 8 buffers, got 9')
    count([x], [1, 2], [1, 1, 1])
    await expect(get(x)).rejects.toThrow('internal: count takes 1 uniforms, got 2')
    count([x], [1], [65_536, 1, 1])
    await expect(get(x)).rejects.toThrow('must take at most 65535 workgroups')
  })

  it.each([
    [0, 7, 0, 5, 4, 3],
    [2, 9, 3, 11, 3, 5],
    [5, 4, 20, 3, 1, 7],
  ])(
    'copy blocks as the portable kernel does: offsets and strides %i %i, %i %i, [%i, %i]',
    async (...sizes) => {
      const [from, fromStride, to, toStride, rows, cols] = sizes
      const source = put(Array.from({ length: 60 }, (_, i) => i))
      const copies = [copyGpu(engine), copyWgsl(engine)]
      const found = copies.map((copy) => {
        const target = put(Array.from({ length: 80 }, (_, i) => -i))
        const block = { handle: target, offset: to, stride: toStride }
        copy({ handle: source, offset: from, stride: fromStride }, block, rows, cols)
        copy(block, { handle: target, offset: 60, stride: 5 }, 1, 2) // within a buffer
        return get(target)
      })
      const [portable, own] = await Promise.all(found)
      expect(own).toEqual(portable)
    },
  )
})

it('hand-written kernels need mode webgpu', async () => {
  const engine = new GpuEngine(await openRuntime('cpu'), { ...info, variant: 'cpu' })
  expect(engine.hasWgsl).toBe(false)
  expect(() => engine.wgsl(COUNT)).toThrow('internal: count needs mode webgpu, got cpu')
  await engine.close()
})
