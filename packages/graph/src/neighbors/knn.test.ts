import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../dense/matrix.ts'
import { normalMatrix } from '../testing.ts'
import type { NeighbourLists } from './bounded.ts'
import type { Metric } from './distance.ts'
import { knnGraph } from './knn.ts'

/** The definition, spelled out: all distances of one node, sorted by (distance, index). */
const bruteForce = (
  x: DenseMatrix,
  nodes: 'rows' | 'columns',
  k: number,
  metric: Metric,
  eps = Number.POSITIVE_INFINITY,
) => {
  const count = nodes === 'rows' ? x.rows : x.cols
  const dim = nodes === 'rows' ? x.cols : x.rows
  const vector = (i: number) =>
    Array.from({ length: dim }, (_, c) => x.data[nodes === 'rows' ? i * x.cols + c : c * x.cols + i])
  const dot = (a: number[], b: number[]) => a.reduce((sum, v, c) => sum + v * b[c], 0)
  const unit = (a: number[]) => {
    const norm = Math.sqrt(dot(a, a))
    return norm > 0 ? a.map((v) => v / norm) : a
  }
  const distance = (a: number[], b: number[]) => {
    if (metric === 'euclidean') return Math.sqrt(a.reduce((sum, v, c) => sum + (v - b[c]) ** 2, 0))
    return 1 - Math.min(1, Math.max(metric === 'cosine' ? 0 : -1, dot(unit(a), unit(b))))
  }
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: count }, (_, j) => ({ j, d: distance(vector(i), vector(j)) }))
      .filter(({ j }) => j !== i)
      .sort((a, b) => a.d - b.d || a.j - b.j)
      .slice(0, k)
      .filter(({ d }) => d <= eps),
  )
}

const unpack = ({ nNodes, indptr, indices, distances }: NeighbourLists) =>
  Array.from({ length: nNodes }, (_, i) =>
    Array.from({ length: indptr[i + 1] - indptr[i] }, (_, n) => ({
      j: indices[indptr[i] + n],
      d: distances[indptr[i] + n],
    })),
  )

const metrics: Metric[] = ['cosine', 'cosine-unrectified', 'euclidean']

describe('knnGraph', () => {
  it('finds hand-derived neighbours on a line', () => {
    const x = { data: Float64Array.of(0, 1, 3, 7), rows: 4, cols: 1 }
    expect(unpack(knnGraph(x, { k: 2, nodes: 'rows', metric: 'euclidean' }))).toEqual([
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

  it('takes eps after k and may leave a node alone', () => {
    const x = { data: Float64Array.of(0, 1, 3, 7), rows: 4, cols: 1 }
    const lists = knnGraph(x, { k: 2, nodes: 'rows', metric: 'euclidean', eps: 2 })
    expect(unpack(lists).map((list) => list.map(({ j }) => j))).toEqual([[1], [0, 2], [1], []])
  })

  // 67 nodes and 300 coordinates cross the edges of the 32 × 32 tiles and of the 256-wide chunks
  it.each(metrics.flatMap((metric) => (['rows', 'columns'] as const).map((nodes) => ({ metric, nodes }))))(
    'equals brute force to the bit: $metric over $nodes',
    ({ metric, nodes }) => {
      const x = nodes === 'rows' ? normalMatrix(5, 67, 300) : normalMatrix(5, 300, 67)
      expect(unpack(knnGraph(x, { k: 13, nodes, metric }))).toEqual(bruteForce(x, nodes, 13, metric))
    },
  )

  it('gives ties to the smaller index, also at the k-th place', () => {
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
          eps: fc.constantFrom(0, 0.5, 1, 1.5, Number.POSITIVE_INFINITY),
        }),
      )
    fc.assert(
      fc.property(cases, ({ x, k, metric, eps }) => {
        const found = unpack(knnGraph(x, { k, nodes: 'rows', metric, eps }))
        expect(found).toEqual(bruteForce(x, 'rows', k, metric, eps))
      }),
      { seed: 2, numRuns: 150 },
    )
  })

  it.each(metrics)('is not thrown off by huge or tiny values: %s', (metric) => {
    const x = normalMatrix(9, 17, 5)
    const scaled = (factor: number) => ({ ...x, data: x.data.map((v) => v * factor) })
    const order = (m: DenseMatrix) => [...knnGraph(m, { k: 4, nodes: 'rows', metric }).indices]
    expect(order(scaled(2 ** 1000))).toEqual(order(x))
    expect(order(scaled(2 ** -1000))).toEqual(order(x))
  })

  it('puts a zero vector at cosine distance 1 from all', () => {
    const x = { data: Float64Array.of(1, 0, 0, 0, 0, 1), rows: 3, cols: 2 }
    expect(unpack(knnGraph(x, { k: 2, nodes: 'rows', metric: 'cosine-unrectified' }))[1]).toEqual([
      { j: 0, d: 1 },
      { j: 2, d: 1 },
    ])
  })

  it('names what is wrong with bad input', () => {
    const x = normalMatrix(1, 7, 10)
    expect(() => knnGraph(x, { k: 12, nodes: 'columns' })).toThrow(
      'knn: k must be an integer between 1 and 9 (nodes - 1), got 12; lower k',
    )
    expect(() => knnGraph(x, { k: 0, nodes: 'rows' })).toThrow('got 0')
    expect(() => knnGraph(x, { k: 1.5, nodes: 'rows' })).toThrow('got 1.5')
    expect(() => knnGraph(x, { k: 2, nodes: 'rows', eps: -1 })).toThrow('eps must be null or')
    expect(() => knnGraph({ ...x, rows: 8 }, { k: 2, nodes: 'rows' })).toThrow('8 × 10 = 80 elements, got 70')
    expect(() =>
      knnGraph({ data: new Float64Array(3), rows: 3, cols: 1 }, { k: 1, nodes: 'columns' }),
    ).toThrow('at least 2 nodes (columns), got 1')
    x.data[23] = Number.NaN
    expect(() => knnGraph(x, { k: 2, nodes: 'rows' })).toThrow('got NaN at row 2, column 3')
  })
})
