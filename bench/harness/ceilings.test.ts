import { cpu } from '@tau/tensor'
import { describe, expect, it } from 'vitest'
import { ceilings, share } from './ceilings.ts'
import { timingOf } from './race.ts'

describe('ceilings', () => {
  it.each(['plain', 'relaxed', 'wide'] as const)('compute what they claim in the %s build', async (simd) => {
    const { multiplyAdd, copy, read } = await ceilings()
    const device = await cpu({ threads: 2, simd })
    try {
      for (const { prepare, work } of [multiplyAdd, copy(8 * 300_007), read(4 * 300_007)]) {
        await prepare(device).check()
        expect('flops' in work ? work.flops : work.bytes).toBeGreaterThan(1e6)
      }
    } finally {
      await device.close()
    }
  })

  it('count the operations that they do', async () => {
    const { multiplyAdd } = await ceilings()
    expect(multiplyAdd.work).toEqual({ flops: 2 * 96 * 131_072 * 16 }) // 96 sums of 131 072 in each of 16 items
  })
})

describe('share', () => {
  it('is the ratio of two rates, round by round', () => {
    const measured = { timing: timingOf('kernel', [4, 40, 4]), work: { flops: 600 } }
    const ceiling = { timing: timingOf('ceiling', [1, 10, 1]), work: { flops: 200 } }
    expect(share(measured, ceiling)).toEqual({ value: 0.75, spread: 0 })
  })
})
