import { cpu } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { affinity } from '../adjacency/affinity.ts'
import { kneighborsGraph } from '../adjacency/kneighbors-graph.ts'
import { symmetrize } from '../adjacency/symmetrize.ts'
import { connectedComponents } from '../sparse/components.ts'
import { type Csr, csrFromCoo, nnz, symmetryError, valueAt } from '../sparse/csr.ts'
import { normalMatrix } from '../testing.ts'
import { effectiveResistances } from './effective-resistance.ts'
import { laplacianProblem } from './laplacian-problem.ts'
import { sparsifyByResistance } from './sparsify-by-resistance.ts'
import { spectralError } from './spectral-error.ts'

const graphOf = (n: number, edges: readonly (readonly [number, number, number])[]): Csr =>
  csrFromCoo({
    nRows: n,
    nCols: n,
    row: edges.flatMap((edge) => edge.slice(0, 2)),
    col: edges.flatMap(([i, j]) => [j, i]),
    value: edges.flatMap(([, , w]) => [w, w]),
  })

const cloud = async (seed: number, n: number, k: number): Promise<Csr> =>
  symmetrize(
    affinity(await kneighborsGraph(normalMatrix(seed, n, 3), { k, mode: 'distance' }), {
      kernel: 'self-tuning',
    }),
    'average',
  )

describe('effectiveResistances', () => {
  it('add in series and in parallel', async () => {
    // 0 - 1 with conductance 2, a triangle 1 2 3 with conductances 1, and the pair 4 - 5
    const graph = graphOf(6, [[0, 1, 2], [1, 2, 1], [2, 3, 1], [1, 3, 1], [4, 5, 4]]) // biome-ignore format: short
    const { row, col, resistance, method } = await effectiveResistances(graph)
    expect(method).toBe('exact')
    expect([...row]).toEqual([0, 1, 1, 2, 4])
    expect([...col]).toEqual([1, 2, 3, 3, 5])
    expectNear(resistance, [1 / 2, 2 / 3, 2 / 3, 2 / 3, 1 / 4], { atol: 1e-14 })
  })

  it('by projections are near, and their sum agrees with Foster', async () => {
    const n = 600
    const graph = await cloud(1, n, 6)
    const { weight, resistance, method } = await effectiveResistances(graph)
    expect(method).toBe('projections')
    const sum = weight.reduce((total, w, e) => total + w * resistance[e], 0)
    const expected = n - connectedComponents(graph).count
    // 32 projections of 600 dimensions: √(2 / (32 · 600)) = 1 %
    expect(Math.abs(sum / expected - 1)).toBeLessThan(0.04)
    const device = await cpu({ threads: 2 })
    expect((await effectiveResistances(graph, { device })).resistance).toEqual(resistance)
    await device.close()
  })
})

describe('sparsifyByResistance', () => {
  it('keeps energies of a dense graph with a third of its edges, and measures the error', async () => {
    const graph = await cloud(2, 120, 119)
    const { adjacency, edges, error, errorMethod } = await sparsifyByResistance(graph, { samples: 6000 })
    expect(errorMethod).toBe('exact')
    expect(edges.before).toBe((120 * 119) / 2)
    expect(edges.after).toBe(nnz(adjacency) / 2)
    expect(edges.after).toBeLessThan(edges.before / 2)
    expect(symmetryError(adjacency).error).toBe(0)
    expect(error).toBeGreaterThan(0.05)
    expect(error).toBeLessThan(0.6) // the theorem promises √(8 · 120 · ln 120 / 6000) = 0.88
    for (const x of [normalMatrix(5, 120, 1).data, normalMatrix(6, 120, 1).data]) {
      const ratio = energy(adjacency, x) / energy(graph, x)
      expect(Math.abs(ratio - 1)).toBeLessThan(error)
    }
    expect((await sparsifyByResistance(graph, { samples: 6000 })).adjacency).toEqual(adjacency)
    const more = await sparsifyByResistance(graph, { samples: 60_000 })
    expect(more.error).toBeLessThan(error / 2) // about √10 times smaller
  })

  it('never drops a bridge, whose resistance is all of its weight', async () => {
    const half = await cloud(3, 40, 39)
    const both: [number, number, number][] = [[0, 40, 1e-3]]
    for (let i = 0; i < 40; i++)
      for (let j = 0; j < i; j++) {
        both.push([i, j, valueAt(half, i, j)], [40 + i, 40 + j, valueAt(half, i, j)])
      }
    const { adjacency, error } = await sparsifyByResistance(graphOf(80, both), { samples: 4000 })
    expect(valueAt(adjacency, 0, 40)).toBeGreaterThan(0)
    expect(error).toBeLessThan(1)
  })

  it('estimates the error of larger graphs from below, and stops at a signal', async () => {
    const graph = await cloud(4, 530, 40)
    const stages: string[] = []
    const { error, errorMethod, edges } = await sparsifyByResistance(graph, {
      samples: 12_000,
      onProgress: ({ stage }) => stages.push(stage),
    })
    expect(new Set(stages)).toEqual(new Set(['resistances', 'error']))
    expect(errorMethod).toBe('power')
    expect(edges.after).toBeLessThan(edges.before)
    expect(error).toBeGreaterThan(0.2)
    expect(error).toBeLessThan(1.5)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(sparsifyByResistance(graph, { samples: 10, signal })).rejects.toThrow('enough')
  })

  it('finds the error of a graph that is three times another', async () => {
    const graph = await cloud(6, 530, 10)
    using problem = laplacianProblem('test', graph)
    const tripled = { ...graph, values: graph.values.map((w) => 3 * w) }
    const { error, method } = await spectralError(problem, tripled, {})
    expect(method).toBe('power')
    expect(Math.abs(error - 2)).toBeLessThan(1e-12)
  })

  it('names what is wrong', async () => {
    const rejects = (graph: Csr, samples: number, message: string) =>
      expect(sparsifyByResistance(graph, { samples })).rejects.toThrow(message)
    await rejects(await cloud(5, 9, 3), 0, 'samples must be an integer between 1 and 2147483647, got 0')
    await rejects(graphOf(3, []), 5, 'the graph must have at least one edge, got none')
    await rejects(graphOf(3, [[0, 1, -1]]), 5, 'weights must be finite and at least 0, got -1 at (0, 1)')
  })
})

/** xᵀLx */
const energy = ({ nRows, indptr, indices, values }: Csr, x: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) sum += (values[e] * (x[i] - x[indices[e]]) ** 2) / 2
  }
  return sum
}
