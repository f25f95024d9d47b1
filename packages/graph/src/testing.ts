import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Random } from '@tau/tensor'
import { it } from 'vitest'
import type { DenseMatrix } from './dense/matrix.ts'

const shared = fileURLToPath(new URL('../../../shared', import.meta.url))

/** A test that needs a file under ../shared: skipped with a printed reason where the file is absent, a failure in CI. */
export const itWithShared = (path: string, name: string, run: (file: string) => unknown): void => {
  const file = shared + path
  if (existsSync(file)) it(name, () => run(file))
  else if (process.env.CI) {
    it(name, () => {
      throw new Error(`${file} is missing; CI must have it`)
    })
  } else {
    console.warn(`skipped "${name}": ${file} is absent`)
    it.skip(`${name} (needs ${path})`, () => {})
  }
}

export interface ArrayJson {
  shape: number[]
  data: number[]
}

export interface Fixture<Inputs, Expected, Tolerance> {
  group: string
  cases: { name: string; inputs: Inputs; expected: Expected; tolerance: Tolerance }[]
}

export const readFixture = <I, E, T>(file: string): Fixture<I, E, T> => JSON.parse(readFileSync(file, 'utf8'))

export const matrixOf = ({ shape, data }: ArrayJson): DenseMatrix => ({
  data: Float64Array.from(data),
  rows: shape[0],
  cols: shape[1],
})

/** Standard normal matrix [rows, cols]. */
export const normalMatrix = (
  seed: number,
  rows: number,
  cols: number,
): DenseMatrix & { data: Float64Array } => {
  const random = new Random(seed)
  return { data: Float64Array.from({ length: rows * cols }, () => random.gaussian()), rows, cols }
}

/** Largest |a − b|; NaN on either side or unequal lengths count as Infinity. */
export const maxError = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let worst = 0
  for (let i = 0; i < a.length; i++) {
    const error = Math.abs(a[i] - b[i])
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
  }
  return worst
}
