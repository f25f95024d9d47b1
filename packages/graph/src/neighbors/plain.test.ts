import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../dense/matrix.ts'
import { normalMatrix } from '../testing.ts'
import { Pace } from '../watch/pace.ts'
import type { Metric } from './distance.ts'
import type { NeighborLists } from './lists.ts'
import { plainNearest, plainWithin } from './plain.ts'
import { searchOf } from './search.ts'

const nearest = (x: DenseMatrix, k: number, metric: Metric) =>
  plainNearest(searchOf('test', x, undefined, metric), k, new Pace(1, {}))
const within = (x: DenseMatrix, radius: number, metric: Metric) =>
  plainWithin(searchOf('test', x, undefined, metric), radius, new Pace(1, {}))

/** The definition: all distances of one row, sorted by (distance, index). */
const bruteForce = (x: DenseMatrix, metric: Metric, k = x.rows, radius = Number.POSITIVE_INFINITY) => {
  const vector = (i: number) => Array.from(x.data.subarray(i * x.cols, (i + 1) * x.cols))
  const dot = (a: number[], b: number[]) => a.reduce((sum, v, c) => sum + v * b[c], 0)
  const unit = (a: number[]) => {
    const norm = Math.sqrt(dot(a, a))
    return norm > 0 ? a.map((v) => v / norm) : a
  }
  const distance = (a: number[], b: number[]) => {
    if (metric === 'euclidean') return Math.sqrt(a.reduce((sum, v, c) => sum + (v - b[c]) ** 2, 0))
    return 1 - Math.min(1, Math.max(metric === 'cosine' ? 0 : -1, dot(unit(a), unit(b))))
  }
  return Array.from({ length: x.rows }, (_, i) =>
    Array.from({ length: x.rows }, (_, j) => ({ j, d: distance(vector(i), vector(j)) }))
      .filter(({ j }) => j !== i)
      .sort((a, b) => a.d - b.d || a.j - b.j)
      .slice(0, k)
      .filter(({ d }) => d <= radius),
  )
}

const unpack = ({ nNodes, indptr, indices, distances }: NeighborLists) =>
  Array.from({ length: nNodes }, (_, i) =>
    Array.from({ length: indptr[i + 1] - indptr[i] }, (_, n) => ({
      j: indices[indptr[i] + n],
      d: distances[indptr[i] + n],
    })),
  )

const metrics: Metric[] = ['cosine', 'cosine-unrectified', 'euclidean']

describe('the f64 loops of the searches', () => {
  it('find hand-derived neighbours on a line', async () => {
    const x = { data: Float64Array.of(0, 1, 3, 7), rows: 4, cols: 1 }
    expect(unpack(await nearest(x, 2, 'euclidean'))).toEqual([
      [
        { j: 1, d: 1 },
        { j: 2, d: 3 },
      ],
      [
        { j: 0, d: 1 },
        { j: 2, d: 2 },
      ],
      [
        { j: 1, d: 2 },
        { j: 0, d: 3 },
      ],
      [
        { j: 2, d: 4 },
        { j: 1, d: 6 },
      ],
    ])
  })

  // 67 nodes and 300 coordinates cross the edges of the 32 × 32 tiles and of the 256-wide chunks
  it.each(metrics)('equal brute force to the bit: %s', async (metric) => {
    const x = normalMatrix(5, 67, 300)
    expect(unpack(await nearest(x, 13, metric))).toEqual(bruteForce(x, metric, 13))
  })

  it('give ties to the smaller index, also at the k-th place', async () => {
    const entry = fc.integer({ min: -1, max: 1 }) // many equal and zero vectors
    const cases = fc
      .tuple(fc.integer({ min: 2, max: 41 }), fc.integer({ min: 1, max: 3 }))
      .chain(([rows, cols]) =>
        fc.record({
          x: fc
            .array(entry, { minLength: rows * cols, maxLength: rows * cols })
            .map((data) => ({ data: Float64Array.from(data), rows, cols })),
          k: fc.integer({ min: 1, max: rows - 1 }),
          metric: fc.constantFrom(...metrics),
          radius: fc.constantFrom(0, 0.5, 1, 1.5, Number.POSITIVE_INFINITY),
        }),
      )
    await fc.assert(
      fc.asyncProperty(cases, async ({ x, k, metric, radius }) => {
        expect(unpack(await nearest(x, k, metric))).toEqual(bruteForce(x, metric, k))
        expect(unpack(await within(x, radius, metric))).toEqual(bruteForce(x, metric, x.rows, radius))
      }),
      { seed: 2, numRuns: 150 },
    )
  })

  it.each(metrics)('are not thrown off by huge or tiny values: %s', async (metric) => {
    const x = normalMatrix(9, 17, 5)
    const scaled = (factor: number) => ({ ...x, data: x.data.map((v) => v * factor) })
    const order = async (m: DenseMatrix) => [...(await nearest(m, 4, metric)).indices]
    expect(await order(scaled(2 ** 1000))).toEqual(await order(x))
    expect(await order(scaled(2 ** -1000))).toEqual(await order(x))
  })

  it('put a zero vector at cosine distance 1 from all', async () => {
    const x = { data: Float64Array.of(1, 0, 0, 0, 0, 1), rows: 3, cols: 2 }
    expect(unpack(await nearest(x, 2, 'cosine-unrectified'))[1]).toEqual([
      { j: 0, d: 1 },
      { j: 2, d: 1 },
    ])
  })
})
