import { expect, it } from 'vitest'
import { portableLog } from './portable-log.ts'

it('is within 2 units in the last place of the engine', () => {
  for (const x of [2 ** -63, 1e-17, 1e-9, 0.1, 0.5, 0.62, 0.9999, 1, 1.0001, Math.SQRT2, 3, 1e9]) {
    expect(Math.abs(portableLog(x) - Math.log(x))).toBeLessThanOrEqual(
      2 ** -51 * Math.max(1e-3, Math.abs(Math.log(x))),
    )
  }
})
