import { describe, expect, it } from 'vitest'
import { loadGpuJs } from '../gpu-js.ts'
import { fitTextures, hasUtils } from './texture-size.ts'

const MAX = 8192
const SETTINGS = { precision: 'single', optimizeFloatMemory: false }

describe('textures of gpu.js', () => {
  it('are as near to a square as can be where an output is longer than a texture, and else as they were', async () => {
    const module: object = await loadGpuJs()
    if (!hasUtils(module)) throw new Error('gpu.js must have its utils')
    const { utils } = module
    const sizeOf = (...output: number[]): number[] => [...utils.getKernelTextureSize(SETTINGS, output)]
    const wide = [30_522, 3, 1]
    expect(sizeOf(...wide)).toEqual([30_522, 3]) // which WebGL refuses in silence
    fitTextures(module, MAX)
    fitTextures(module, MAX) // once is enough
    for (const output of [wide, [3, 30_522, 1], [100_003, 1, 1], [MAX, MAX, 1]]) {
      const [width, height] = sizeOf(...output)
      expect(Math.max(width, height)).toBeLessThanOrEqual(MAX)
      expect(width * height).toBeGreaterThanOrEqual(output.reduce((product, n) => product * n, 1))
    }
    expect(sizeOf(35, 3, 1)).toEqual([35, 3])
  })
})
