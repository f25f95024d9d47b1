import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matmulTile } from './tile.ts'

describe('matmulTile', () => {
  const sides = fc.integer({ min: 1, max: 40_000 })

  it('fits the micro-kernel and the workspace at every shape', () => {
    fc.assert(
      fc.property(sides, sides, (m, n) => {
        const { tileM, tileN } = matmulTile(m, n, 384, 4)
        expect(tileM % 6).toBe(0)
        expect(tileN % 16).toBe(0)
        expect(tileN).toBeLessThanOrEqual(1024)
        expect((tileM - 5) * (tileN - 15)).toBeLessThanOrEqual(1024 * 1536)
      }),
      { seed: 11 },
    )
  })

  it('cuts 768 × 768 into a tile for each of one or two threads, into two for each of more', () => {
    expect(matmulTile(768, 768, 768, 1)).toEqual({ tileM: 768, tileN: 768 })
    expect(matmulTile(768, 768, 768, 2)).toEqual({ tileM: 384, tileN: 768 })
    for (const threads of [3, 4])
      expect(matmulTile(768, 768, 768, threads)).toEqual({ tileM: 192, tileN: 384 })
  })

  it('cuts a small C of a deep product into few tiles', () => {
    expect(matmulTile(384, 384, 30_522, 4)).toEqual({ tileM: 192, tileN: 192 })
  })

  it('cuts the shapes of a small model into an even number of tiles', () => {
    for (const m of [1024, 2048])
      for (const n of [128, 256, 384, 512, 2048]) {
        const { tileM, tileN } = matmulTile(m, n, 384, 4)
        const tiles = Math.ceil(m / tileM) * Math.ceil(n / tileN)
        expect(tiles, `[${m}, ${n}]`).toBeGreaterThanOrEqual(8)
        expect(tiles % 2, `[${m}, ${n}]`).toBe(0)
      }
  })
})
