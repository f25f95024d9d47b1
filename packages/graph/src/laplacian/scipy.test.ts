import { readFileSync } from 'node:fs'
import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { kneighborsGraph } from '../adjacency/kneighbors-graph.ts'
import { connectedComponents } from '../sparse/components.ts'
import { csrFromCoo, toDense } from '../sparse/csr.ts'
import { laplacian } from './laplacian.ts'

interface GraphCase {
  n: number
  /** edges i ≤ j with their weights */
  edges: [number, number, number][]
  components: number[]
  none: number[]
  degrees: number[]
  symmetric: number[]
  roots: number[]
}

interface Neighbours {
  indices: number[]
  distances: number[]
}

interface NeighborCase {
  n: number
  dim: number
  k: number
  x: number[]
  others: Neighbours
  self: Neighbours
}

/** The results of SciPy and scikit-learn. tools/fixtures/laplacian-scipy.py made them. */
const fixture: { graphs: GraphCase[]; neighbours: NeighborCase[] } = JSON.parse(
  readFileSync(new URL('../fixtures/laplacian-scipy.json', import.meta.url), 'utf8'),
)
const tolerance = { atol: 1e-13 * 200 } // 14 digits of degrees up to 200

const adjacencyOf = ({ n, edges }: GraphCase) => {
  const both = edges.flatMap(([i, j, w]) => (i === j ? [[i, j, w]] : [[i, j, w], [j, i, w]])) // biome-ignore format: two lines
  return csrFromCoo({
    nRows: n,
    nCols: n,
    row: both.map((e) => e[0]),
    col: both.map((e) => e[1]),
    value: both.map((e) => e[2]),
  })
}

describe('200 random graphs', () => {
  it('have the Laplacians, scalings and components of SciPy', () => {
    expect(fixture.graphs).toHaveLength(200)
    for (const graph of fixture.graphs) {
      const adjacency = adjacencyOf(graph)
      const plain = laplacian(adjacency, { returnDiagonal: true })
      expectNear(toDense(plain.laplacian).data, graph.none, tolerance)
      expectNear(plain.diagonal, graph.degrees, tolerance)
      const normed = laplacian(adjacency, { normalization: 'symmetric', returnDiagonal: true })
      expectNear(toDense(normed.laplacian).data, graph.symmetric, tolerance)
      expectNear(normed.diagonal, graph.roots, tolerance)
      expect([...connectedComponents(adjacency).labels]).toEqual(graph.components)
    }
  })

  it('have isolated nodes and loops among them', () => {
    expect(fixture.graphs.filter(({ degrees }) => degrees.includes(0)).length).toBeGreaterThan(20)
    expect(fixture.graphs.filter(({ edges }) => edges.some(([i, j]) => i === j)).length).toBeGreaterThan(20)
  })
})

it("kneighborsGraph gives scikit-learn's matrices for 200 random sets of points", async () => {
  expect(fixture.neighbours).toHaveLength(200)
  for (const { n, dim, k, x, others, self } of fixture.neighbours) {
    const points = { data: Float64Array.from(x), rows: n, cols: dim }
    for (const [includeSelf, expected] of [
      [false, others],
      [true, self],
    ] as const) {
      // biome-ignore format: one line
      const distances = await kneighborsGraph(points, { k, mode: 'distance', includeSelf })
      expect([...distances.indptr]).toEqual(Array.from({ length: n + 1 }, (_, i) => i * k))
      expect([...distances.indices]).toEqual(expected.indices)
      expectNear(distances.values, expected.distances, { atol: 1e-12 }) // 14 digits of distances up to 8
      const connectivity = await kneighborsGraph(points, { k, includeSelf })
      expect(connectivity).toEqual({ ...distances, values: new Float64Array(n * k).fill(1) })
    }
  }
})
