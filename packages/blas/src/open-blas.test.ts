import { execFileSync } from 'node:child_process'
import { join, parse } from 'node:path'
import { cpu, type Device, matmul, Random } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Library, loadKoffi } from './koffi.ts'
import { describe as nameOf, singleThreaded } from './library.ts'
import { openBlas } from './open-blas.ts'

/** The reason why this machine cannot run the tests that need a BLAS; undefined if it can. */
const missing = ((): string | undefined => {
  try {
    openBlas().open(1)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
})()

const layouts = ['nn', 'nt', 'tn'] as const
type Layout = (typeof layouts)[number]

describe.skipIf(missing !== undefined)(
  `products by the system's BLAS${missing ? ` (${missing})` : ''}`,
  () => {
    let ours: Device
    let devices: Device[]
    beforeAll(async () => {
      ours = await cpu({ threads: 1, simd: 'plain' })
      devices = await Promise.all(
        [1, 2, 4].map((threads) => cpu({ threads, gemm: openBlas(), strict: true })),
      )
    })
    afterAll(() => Promise.all([ours, ...devices].map((device) => device.close())))

    async function product(
      device: Device,
      layout: Layout,
      [m, n, k]: readonly number[],
    ): Promise<Float32Array> {
      using _scope = device.scope()
      const random = new Random(7)
      const a = random.normal(device, layout === 'tn' ? [k, m] : [m, k])
      const b = random.normal(device, layout === 'nt' ? [n, k] : [k, n])
      return matmul(a, b, layout).data()
    }

    it('are named after the library', () => {
      expect(devices[1].info.variant).toMatch(/^(relaxed-)?simd\+(openblas|blas)/)
      expect(devices[1].info.fallbacks).toEqual([])
    })

    // These are tall, wide, deep, larger than one tile of 512 × 768, and thin.
    const shapes = [
      [67, 71, 73],
      [1031, 389, 97],
      [401, 1553, 61],
      [131, 127, 1031],
      [5, 1013, 211],
    ]
    it.each(layouts)(
      '%s: within rounding of our own, and the same bits on 1, 2 and 4 threads',
      async (layout) => {
        for (const shape of shapes) {
          const [one, two, four] = await Promise.all(devices.map((device) => product(device, layout, shape)))
          // Both round k times. The tests of matmul explain the same tolerance.
          expectNear(one, await product(ours, layout, shape), { atol: 8 * (shape[2] + 3) * 2 ** -24 })
          expect(two, `${shape}`).toEqual(one)
          expect(four, `${shape}`).toEqual(one)
        }
      },
    )

    it('still work after the memory has grown, although the library got its address before', async () => {
      const device = devices[1]
      const before = await product(device, 'nn', shapes[0])
      const large = device.empty([128, 1024, 1024])
      expect(await product(device, 'nn', shapes[0])).toEqual(before)
      using _scope = device.scope()
      // These operands lie beyond the memory of the start.
      const x = device.tensor(new Float32Array(509 * 509).fill(1), [509, 509])
      expect(x.handle).toBeGreaterThan(64 << 20)
      expect(await matmul(x, x).data()).toEqual(new Float32Array(509 * 509).fill(509))
      large.dispose()
    })

    it('the library keeps its one thread when handles are collected', () => {
      const script = `import koffi from 'koffi'
        import { cpu } from '@tau/tensor'
        import { openBlas } from '@tau/blas'
        const device = await cpu({ threads: 1, gemm: openBlas(), strict: true })
        for (let i = 0; i < 3; i++) {
          globalThis.gc()
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        const get = koffi.load('libopenblas.so.0').func('int openblas_get_num_threads()')
        console.log(get())
        await device.close()`
      const flags = ['--conditions=source', '--expose-gc', '--input-type=module', '-e']
      const out = execFileSync(process.execPath, [...flags, script], {
        cwd: join(import.meta.dirname, '../../../bench'),
        encoding: 'utf8',
      })
      expect(out.trim()).toBe('1')
    })
  },
)

describe('the error names what is missing', () => {
  it('a path that names nothing', () => {
    expect(() => openBlas({ path: '' })).toThrow("openBlas: path must name a library, got ''; leave it out")
  })

  it.each([
    ['libno-such-blas.so', /a BLAS must be found, got libno-such-blas\.so: .*; install one/],
    [process.execPath, /a BLAS must be found, got .*node.*: .*; install one/],
  ])('a library that cannot be used: %s', async (path, reason) => {
    const device = await cpu({ threads: 2, gemm: openBlas({ path }) })
    expect(device.info.variant).not.toContain('+')
    expect(device.info.fallbacks).toHaveLength(1)
    expect(device.info.fallbacks[0]).toMatch(reason)
    await device.close()
    await expect(cpu({ gemm: openBlas({ path }), strict: true })).rejects.toThrow(reason)
  })

  it('koffi, in a folder without it, and without a binary', () => {
    const folder = join(parse(process.cwd()).root, 'no-such-folder')
    // This needs its own process, because pnpm's commands let every module see every package through
    // NODE_PATH.
    const script = `import { koffiPath } from ${JSON.stringify(new URL('koffi.ts', import.meta.url))}
      try { koffiPath(${JSON.stringify(join(folder, 'module.js'))}) } catch (error) { console.log(error.message) }`
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, NODE_PATH: '' },
    })
    expect(out).toContain('openBlas: koffi must be installed, got none')
    expect(() => loadKoffi(join(folder, 'koffi.js'))).toThrow(
      `openBlas: koffi must have a binary for ${process.platform} ${process.arch}, got Cannot find module`,
    )
  })

  it('nothing of it is loaded before a device is opened', () => {
    const script = `import { openBlas } from '@tau/blas'
      openBlas()
      const report = process.report.getReport()
      console.log(report.sharedObjects.some((file) => /koffi|blas/.test(file)))`
    const out = execFileSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '../../../bench'),
      encoding: 'utf8',
    })
    expect(out.trim()).toBe('false')
  })
})

describe('libraries', () => {
  /** A library that has only these symbols. */
  const library = (symbols: Readonly<Record<string, (...args: readonly number[]) => unknown>>): Library => ({
    func: (prototype) => {
      const name = /(\w+)\(/.exec(prototype)?.[1] ?? ''
      if (!(name in symbols)) throw new Error(`Cannot find function '${name}' in shared library`)
      return symbols[name]
    },
  })
  const threads: number[] = []
  const openblas = (config: string, parallel: number) =>
    library({
      openblas_set_num_threads: (count) => threads.push(count),
      openblas_get_config: () => config,
      openblas_get_corename: () => 'Zen',
      openblas_get_parallel: () => parallel,
    })

  it('are set to one thread', () => {
    singleThreaded(openblas('OpenBLAS 0.3.29 DYNAMIC_ARCH', 1), 2)
    expect(threads).toEqual([1])
    singleThreaded(library({}), 2)
  })

  it('with 64-bit sizes are refused, and sequential ones on several threads', () => {
    expect(() => singleThreaded(openblas('OpenBLAS 0.3.29 USE64BITINT', 1), 1)).toThrow('64-bit integers')
    expect(() => singleThreaded(openblas('OpenBLAS 0.3.29', 0), 2)).toThrow(
      'a sequential build, got 2 threads',
    )
    expect(() => singleThreaded(openblas('OpenBLAS 0.3.29', 0), 1)).not.toThrow()
  })

  it('are named by version and kernels', () => {
    expect(nameOf(openblas('OpenBLAS 0.3.29.dev DYNAMIC_ARCH', 1))).toBe('openblas-0.3.29.dev-zen')
    expect(nameOf(library({}))).toBe('blas')
  })
})
