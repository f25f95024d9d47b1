import { describe, expect, it } from 'vitest'
import { affinity } from '../adjacency/affinity.ts'
import { csrFromNeighbors } from '../adjacency/kneighbors-graph.ts'
import { symmetrize } from '../adjacency/symmetrize.ts'
import { laplacian } from '../laplacian/laplacian.ts'
import { featureLaplacian } from '../laplacian/pipeline.ts'
import { csrFromDense } from '../sparse/csr.ts'
import { ARROW_MANIFOLD, normalMatrix } from '../testing.ts'
import { describeManifold } from './describe.ts'
import { readManifold } from './files.ts'
import { configNumber } from './metadata.ts'

/** A weighted graph in which every other node is joined to each hub. */
const hubGraph = (size: number, hubs: number[], distance: (i: number) => number) => {
  const outside = Array.from({ length: size }, (_, i) => i).filter((i) => !hubs.includes(i))
  const indptr = new Int32Array(size + 1)
  for (let i = 0; i < size; i++) indptr[i + 1] = indptr[i] + (hubs.includes(i) ? 0 : hubs.length)
  const lists = {
    nNodes: size,
    indptr,
    indices: Int32Array.from(outside.flatMap(() => hubs)),
    distances: Float64Array.from(outside.flatMap((i) => hubs.map(() => distance(i)))),
  }
  return laplacian(symmetrize(affinity(csrFromNeighbors(lists, { mode: 'distance' }), { sigma: 0.5, p: 2 })))
}

describe('describeManifold', () => {
  it('counts a hand-made graph', () => {
    // 0 - 1 with weight 2, 2 - 3 with weight 1, 4 alone
    const W = new Float64Array(25)
    W[1] = W[5] = 2
    W[13] = W[17] = 1
    const d = describeManifold(laplacian(csrFromDense({ data: W, rows: 5, cols: 5 })))
    expect(d).toMatchObject({ size: 5, nnz: 9, density: 9 / 25, edges: 2, components: 3, isolated: 1 })
    expect(d.weights).toEqual({ min: 1, q25: 1.25, median: 1.5, q75: 1.75, max: 2 })
    expect(d.degree).toMatchObject({ min: 0, median: 1, max: 2 })
    expect([d.rowSumError, d.symmetryError]).toEqual([0, 0])
    expect(d.energy.max).toBeLessThanOrEqual(4) // eigenvalues 0, 4, 0, 2, 0
    expect(d.energy.min).toBeGreaterThan(0)
    expect(d.oddities).toEqual([
      '1 isolated nodes: those features never change an energy',
      '3 connected components',
    ])
    expect(d.impliedDistances).toBeUndefined()
  })

  it('finds nothing odd in a plain feature graph', async () => {
    const options = { k: 6, sigma: 0.9, p: 2 }
    const d = describeManifold(await featureLaplacian(normalMatrix(3, 31, 41), options), options)
    expect(d.oddities).toEqual([])
    expect(d.impliedDistances?.max).toBeLessThanOrEqual(1 + 1e-12)
  })

  it('notes hubs, their spacing, equal neighbour counts and distances above 1', () => {
    const d = describeManifold(
      hubGraph(60, [0, 12, 24, 36], (i) => 0.6 + i / 100),
      { sigma: 0.5, p: 2 },
    )
    expect(d.hubs).toEqual({ nodes: [0, 12, 24, 36], edgeShare: 1, neighborsOutside: 4 })
    expect(d.oddities).toHaveLength(3)
    expect(d.oddities[0]).toContain(
      '4 of 60 nodes (0, 12, 24, 36) touch 100.0 % of the 224 edges, all multiples of 12',
    )
    expect(d.oddities[1]).toBe('every node that is not a hub has exactly 4 neighbours')
    expect(d.oddities[2]).toContain('weights imply distances up to 1.190') // node 59
  })

  it('notes equal weights, asymmetry and row sums', async () => {
    const equal = describeManifold(hubGraph(60, [7, 19], () => 0.4))
    expect(equal.oddities.some((line) => line.startsWith('all 116 weights are equal'))).toBe(true)
    const walk = describeManifold(
      await featureLaplacian(normalMatrix(3, 31, 11), { k: 3, sigma: 0.9, normalization: 'random-walk' }),
    )
    expect(walk.oddities.some((line) => line.startsWith('not symmetric'))).toBe(true)
  })

  it('repeats for one seed', async () => {
    const L = await featureLaplacian(normalMatrix(3, 31, 11), { k: 3, sigma: 0.9 })
    expect(describeManifold(L, { seed: 5 })).toEqual(describeManifold(L, { seed: 5 }))
    expect(describeManifold(L, { seed: 5 }).energy).not.toEqual(describeManifold(L, { seed: 6 }).energy)
  })

  it('refuses what is not square', () => {
    const flat = csrFromDense({ data: Float64Array.of(1, 2), rows: 1, cols: 2 })
    expect(() => describeManifold(flat)).toThrow('L must be square, got [1, 2]')
  })

  it('notes the oddities of a manifold with hubs', async () => {
    const { laplacian: L, metadata } = await readManifold(ARROW_MANIFOLD)
    if (!metadata) throw new Error('internal: the fixture has a manifold.json')
    const sigma = configNumber(metadata, 'lambda_sigma')
    const p = configNumber(metadata, 'lambda_p')
    expect([sigma, p]).toEqual([0.535, 1.8])
    const d = describeManifold(L, { sigma, p })
    expect(d).toMatchObject({
      size: 192,
      nnz: 3007,
      edges: 1408,
      components: 2,
      isolated: 1,
      symmetryError: 0,
    })
    expect(d.hubs).toEqual({ nodes: Array.from({ length: 16 }, (_, i) => 12 * i), edgeShare: 1 })
    expect(d.rowSumError).toBeLessThan(1e-12)
    expect(d.oddities).toHaveLength(4)
    expect(d.oddities[1]).toContain('distances up to 1.100')
  })
})
