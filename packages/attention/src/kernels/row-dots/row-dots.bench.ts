import { opCase } from '@tau/testing'
import { type Benches, bytesOf, normalInput, rowOf } from '../case.bench.ts'
import { rowDots } from './row-dots.ts'

const AXES = [1, 6, 1024, 64] as const
const ROWS = 6 * 1024
const COLS = 64

/** dOut·out of tau-30m's attention: 6 heads over 1024 tokens. */
export const benches: Benches = [
  {
    name: 'row-dots/30m_T1024',
    shape: `[${AXES.join(', ')}]`,
    work: { bytes: bytesOf(2 * ROWS * COLS + ROWS) },
    readsOnly: true,
    prepare(device) {
      const a = normalInput(device, AXES, 1)
      const b = normalInput(device, AXES, 2)
      const expectedAt = (row: number) => {
        const other = rowOf(b.values, row, COLS)
        return rowOf(a.values, row, COLS).reduce((sum, value, c) => sum + value * other[c], 0)
      }
      return opCase(device, () => rowDots(a.tensor, b.tensor), expectedAt, { atol: 2e-5 }) // 64 products up to 12
    },
  },
]
