import { randomArray } from '@tau/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpu } from '../../backends/cpu/cpu.ts'
import { hasWideSimd } from '../../backends/cpu/wide.ts'
import type { Device } from '../../device.ts'
import { profile } from '../../profile/profile.ts'
import { square } from '../unary/unary.ts'
import { matmul } from './matmul.ts'

describe.skipIf(!(await hasWideSimd()))('matmul on 256-bit registers', () => {
  let wide: Device
  let relaxed: Device
  beforeAll(async () => {
    wide = await cpu({ simd: 'wide', threads: 2, strict: true })
    relaxed = await cpu({ simd: 'relaxed', threads: 1, strict: true })
  })
  afterAll(() => Promise.all([wide.close(), relaxed.close()]))

  it('stands in a profile as wide, other kernels as relaxed', async () => {
    using _scope = wide.scope()
    const x = wide.tensor(randomArray(61 * 61, 1), [61, 61])
    const { launches } = (await profile(wide, () => square(matmul(x, x)))).profile
    expect(launches.map(({ kernel, build }) => [kernel, build])).toEqual([
      ['matmul', 'wide-simd'],
      ['square', 'relaxed-simd'],
    ])
  })

  it('has the bits of the relaxed build', async () => {
    const size = fc.integer({ min: 17, max: 450 }) // above the thin kernels, and beyond a slice of 384 steps
    await fc.assert(
      fc.asyncProperty(size, size, size, fc.constantFrom('nn', 'nt', 'tn'), async (m, n, k, layout) => {
        const [a, b] = [randomArray(m * k, 1), randomArray(k * n, 2)]
        const product = (device: Device) => {
          using _scope = device.scope()
          const left = device.tensor(a, layout === 'tn' ? [k, m] : [m, k])
          const right = device.tensor(b, layout === 'nt' ? [n, k] : [k, n])
          return matmul(left, right, layout).data()
        }
        expect(await product(wide)).toEqual(await product(relaxed))
      }),
      { seed: 1, numRuns: 40 },
    )
  })
})
