import { Random } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { affinity } from '../adjacency/affinity.ts'
import { kneighborsGraph } from '../adjacency/kneighbors-graph.ts'
import { symmetrize } from '../adjacency/symmetrize.ts'
import type { DenseMatrix } from '../dense/matrix.ts'
import { connectedComponents } from '../sparse/components.ts'
import { type Csr, csrFromCoo } from '../sparse/csr.ts'
import { eigengap, spectralClustering } from './spectral-clustering.ts'
import { spectralEmbedding } from './spectral-embedding.ts'

/** Two interlocked rings, like links of a chain. The points alternate between them. */
const rings = (perRing: number, noise: number): DenseMatrix => {
  const random = new Random(11)
  const data = new Float64Array(2 * perRing * 3)
  for (let i = 0; i < 2 * perRing; i++) {
    const angle = (2 * Math.PI * (i + random.float())) / (2 * perRing)
    const [x, y] = [Math.cos(angle), Math.sin(angle)]
    const point = i % 2 === 0 ? [x, y, 0] : [1 + x, 0, y]
    point.forEach((value, c) => {
      data[3 * i + c] = value + noise * random.gaussian()
    })
  }
  return { data, rows: 2 * perRing, cols: 3 }
}

const weighted = async (points: DenseMatrix, k: number, sigma: number): Promise<Csr> =>
  symmetrize(
    affinity(await kneighborsGraph(points, { k, mode: 'distance' }), { kernel: 'gaussian', sigma }),
    'max',
  )

/** A stochastic block model: nodes of one block are joined with probability `inside`, others with
 *  `outside`. */
const blockModel = (blocks: number, perBlock: number, inside: number, outside: number): Csr => {
  const random = new Random(12)
  const n = blocks * perBlock
  const [row, col]: [number[], number[]] = [[], []]
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      if (random.float() >= (i % blocks === j % blocks ? inside : outside)) continue
      row.push(i, j)
      col.push(j, i)
    }
  }
  return csrFromCoo({ nRows: n, nCols: n, row, col, value: new Float64Array(row.length).fill(1) })
}

describe('spectralClustering', () => {
  it('tells two interleaved rings apart, joined or not', async () => {
    const points = rings(200, 0.04)
    const truth = Int32Array.from({ length: 400 }, (_, i) => i % 2)
    const apart = await weighted(points, 10, 0.1)
    expect(connectedComponents(apart).count).toBe(2)
    expect((await spectralClustering(apart, { clusters: 2 })).labels).toEqual(truth)
    const joined = await weighted(points, 399, 0.2)
    expect(connectedComponents(joined).count).toBe(1)
    const { labels, pairs } = await spectralClustering(joined, { clusters: 2 })
    expect(labels).toEqual(truth)
    expect(pairs.values[1]).toBeGreaterThan(0)
  })

  it('finds the blocks of a stochastic block model, and their number', async () => {
    const graph = blockModel(10, 60, 0.4, 0.02)
    expect(connectedComponents(graph).count).toBe(1)
    const { labels, pairs } = await spectralClustering(graph, { clusters: 10 })
    expect(pairs.method).toBe('chebyshev-davidson')
    expect(labels).toEqual(Int32Array.from({ length: 600 }, (_, i) => i % 10))
    const more = await spectralClustering(graph, { clusters: 14 })
    expect(eigengap(more.pairs.values).clusters).toBe(10)
  })

  it('names what is wrong', async () => {
    const graph = blockModel(2, 3, 1, 0)
    await expect(spectralClustering(graph, { clusters: 7 })).rejects.toThrow(
      'clusters must be an integer between 1 and 6, got 7; the graph has 6 nodes',
    )
    await expect(spectralClustering(graph, { clusters: 1 })).rejects.toThrow(
      'at least the number of connected components, got 1 clusters and 2 components',
    )
    expect(() => eigengap([0])).toThrow('eigengap: values must hold at least two eigenvalues, got 1')
    expect(eigengap([0, 1, 2, 5, 8])).toEqual({ clusters: 3, gap: 3 }) // the first of equal gaps
  })
})

describe('spectralEmbedding', () => {
  it('of a ring is a circle in the order of the nodes', async () => {
    const n = 500
    const index = Array.from({ length: n }, (_, i) => i)
    const next = index.map((i) => (i + 1) % n)
    const ring = csrFromCoo({
      nRows: n,
      nCols: n,
      row: [...index, ...next],
      col: [...next, ...index],
      value: new Float64Array(2 * n).fill(1),
    })
    const { embedding, values } = await spectralEmbedding(ring, { dim: 2, tolerance: 1e-10 })
    expectNear(
      values,
      [1, 1].map((v) => v - Math.cos((2 * Math.PI) / n)),
      { atol: 1e-12 },
    )
    const at = (i: number) => [embedding.data[2 * i], embedding.data[2 * i + 1]] as const
    const radius = 1 / Math.sqrt(n) // a unit vector √(2/n)·cos, divided by the square root of the degree 2
    // the residual is 2e-10 and the gap to the next eigenvalue 2e-4, so vectors are good to 1e-6
    expectNear(
      index.map((i) => Math.hypot(...at(i))),
      new Array(n).fill(radius),
      { atol: 2e-6 },
    )
    const turns = index.map((i) => {
      const [[a, b], [c, d]] = [at(i), at((i + 1) % n)]
      return Math.atan2(a * d - b * c, a * c + b * d)
    })
    expectNear(turns.map(Math.abs), new Array(n).fill((2 * Math.PI) / n), { atol: 1e-4 })
    expect(Math.abs(turns.reduce((sum, turn) => sum + Math.sign(turn), 0))).toBe(n)
  })

  it('needs a connected graph', async () => {
    await expect(spectralEmbedding(blockModel(2, 3, 1, 0), { dim: 1 })).rejects.toThrow(
      'spectralEmbedding: the graph must be connected, got 2 components',
    )
  })
})
