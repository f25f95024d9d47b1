import { opCase } from '@tau/testing'
import { DEFAULT_EPS } from '../../constants.ts'
import { type Benches, bytesOf, normalInput, rowOf } from '../case.bench.ts'
import { referenceTauReference } from './reference.ts'
import { type Middle, referenceTau } from './reference-tau.ts'

const AXES = [1, 6, 1024, 64] as const
const ROWS = 6 * 1024
const COLS = 64

/** One τ per query of tau-30m: 6 heads over 1024 tokens. */
export const benches: Benches = (['median', 'mean'] as const).map((middle: Middle) => ({
  name: `reference-tau/${middle}_T1024`,
  shape: `[${AXES.join(', ')}]`,
  work: { bytes: bytesOf(ROWS * COLS + ROWS) },
  prepare(device) {
    const x = normalInput(device, AXES, 1)
    const expectedAt = (row: number) =>
      referenceTauReference(rowOf(x.values, row, COLS), COLS, middle, DEFAULT_EPS)[0]
    return opCase(device, () => referenceTau(x.tensor, middle), expectedAt, { atol: 2e-6 })
  },
}))
