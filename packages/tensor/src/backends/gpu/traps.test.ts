import { gpuModes } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { GpuEngine } from './engine.ts'
import { openRuntime } from './gpu.ts'
import type { GpuKernel } from './kernel.ts'

/** What gpu.js computes wrongly without an error, and our kernels must not do. For large indices see
 *  kernels.test.ts, for calls before the first build engine.test.ts. */
describe.each(gpuModes)('traps of gpu.js in mode %s', (mode) => {
  const open = async () =>
    new GpuEngine(await openRuntime(mode), { backend: 'gpu', variant: mode, threads: 1, fallbacks: [] })

  it.each(['for (let i = 0; i < n; i++)', 'let i = 0\nwhile (i < n)'])(
    'loops have no limit: %s',
    async (head) => {
      const engine = await open()
      const step = head.startsWith('for') ? 'sum += 1.0' : 'sum += 1.0\ni++'
      const body = `let sum = 0.0\n${head} {\n${step}\n}\nreturn sum`
      const out = engine.alloc(4)
      engine.kernel({ name: 'count', args: { n: 'int' }, body })([5000], [1], out)
      expect([...(await engine.read(out, 'f32', 1))]).toEqual([5000])
      await engine.close()
    },
  )

  it.each<[string, Partial<GpuKernel>]>([
    ['must not use continue', { body: 'for (let i = 0; i < 3; i++) { if (i === 1) { continue } } return 0' }],
    ['must not use %', { body: 'return this.thread.x % 3' }],
    ['must not divide indices without + 0.5', { body: 'return Math.floor(this.thread.x / 3)' }],
    ['must not name NaN', { body: 'return NaN' }],
    [
      'must not compare a number with itself',
      { body: 'const v = x[0]\nif (v !== v) { return 1 }\nreturn 0' },
    ],
    ['must not compare a number with itself', { body: 'if (x[0] === x[0]) { return 1 }\nreturn 0' }],
    [
      'must take at most 7 buffers, got 8',
      { args: Object.fromEntries([...'abcdefgh'].map((name) => [name, 'buffer'] as const)) },
    ],
  ])('refuses a kernel that %s', async (message, wrong) => {
    const engine = await open()
    const kernel: GpuKernel = { name: 'wrong', args: { x: 'buffer' }, body: 'return 0', ...wrong }
    expect(() => engine.kernel(kernel)).toThrow(`internal: wrong ${message}`)
    await engine.close()
  })

  it('takes what only looks the same', async () => {
    const engine = await open()
    const body =
      'if (x[0] === x[1] || x[10] !== x[1]) { return 1 }\nreturn Math.floor((this.thread.x + 0.5) / 3)'
    expect(() => engine.kernel({ name: 'fine', args: { x: 'buffer' }, body })).not.toThrow()
    await engine.close()
  })
})
