import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as graph from '../index.ts'
import { TaumodeIndex, type WatchOptions } from '../index.ts'
import { type Edge, graphOf } from '../spectrum/testing.ts'
import { laplacianOf } from '../taumode-index/testing.ts'
import { normalMatrix } from '../testing.ts'

// By this clock every part of the work takes longer than the time between two reports.
let clock = 0
beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => {
    clock += 60
    return clock
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

const x = normalMatrix(1, 90, 12)
const L = await laplacianOf(12)
const ring = (size: number): graph.Csr =>
  graphOf(
    size,
    Array.from({ length: size }, (_, i): Edge => [i, (i + 1) % size, 1]),
  )
const small = ring(60)
const large = ring(600)
/** Weights that are so uneven that Gershgorin's bound is useless for the smallest eigenvalue. */
const uneven = { ...large, values: large.values.map((_, e) => 1 + (large.indices[e] % 3)) }
const normed = graph.laplacian(graph.symmetrize(uneven, 'max'), { normalization: 'symmetric' })
const rows = Float64Array.from({ length: 600 * 3 }, (_, n) => Math.floor(n / 3))
const cols = Float64Array.from({ length: 600 * 3 }, (_, n) => (7 * n) % 40)
const sparse = graph.csrFromCoo({ nRows: 600, nCols: 40, row: rows, col: cols, value: rows })
const words = ['ship sea sail', 'dough oven salt', 'star moon orbit']
const text = Array.from({ length: 300 }, (_, n) => words[(n * n) % 3]).join(' ')
const fixed = { policy: { name: 'fixed', value: 1 } } as const

type Run = (options: WatchOptions) => unknown
/** Work whose fraction rises from call to call and ends with 1. */
const steady: Record<string, Run> = {
  featureLaplacian: (o) => graph.featureLaplacian(normalMatrix(2, 12, 90), { k: 3, sigma: 1, ...o }),
  itemLaplacian: (o) => graph.itemLaplacian(x, { k: 3, sigma: 1, ...o }),
  'reduceEmbeddings, random': (o) => graph.reduceEmbeddings(x, { dim: 8, ...o }),
  'reduceEmbeddings, pca': (o) => graph.reduceEmbeddings(x, { dim: 8, method: 'pca', ...o }),
  'reduceEmbeddings, rotated': (o) => graph.reduceEmbeddings(x, { dim: 8, method: 'rotated-pca', ...o }),
  'randomizedSvd, dense': (o) => graph.randomizedSvd(x, { rank: 3, seed: 1, ...o }),
  'randomizedSvd, sparse': (o) => graph.randomizedSvd(sparse, { rank: 3, seed: 1, ...o }),
  textEmbeddings: (o) => graph.textEmbeddings(text, { passageTokens: 16, maxShare: 1, dim: 2, ...o }),
  rayleighEnergies: (o) => graph.rayleighEnergies(x, L, 0, o),
  fitTaumode: (o) => graph.fitTaumode(x, L, { policy: { name: 'reference-mean' }, ...o }),
  edgeDispersion: (o) => graph.edgeDispersion(x, L, o),
  'TaumodeIndex.add': (o) =>
    new TaumodeIndex(L, { policy: { name: 'reference-mean' }, dispersion: 0.5 }).add(x, o),
  'TaumodeIndex.lambdaOf': (o) =>
    new TaumodeIndex(L, { policy: { name: 'reference-mean' }, dispersion: 0.5 }).lambdaOf(x, o),
  describeManifold: (o) => graph.describeManifold(L, o),
  kneighbors: (o) => graph.kneighbors(x, { k: 3, ...o }),
  radiusNeighbors: (o) => graph.radiusNeighbors(x, { radius: 3, ...o }),
  kneighborsGraph: (o) => graph.kneighborsGraph(x, { k: 3, ...o }),
  denseEigenpairs: (o) => graph.denseEigenpairs(graph.laplacian(small), o),
  'smallestEigenpairs, whole': (o) => graph.smallestEigenpairs(graph.laplacian(small), { k: 3, ...o }),
}
/** Work whose fraction may stay the same, start again with the next stage, or be missing. */
const other: Record<string, Run> = {
  'smallestEigenpairs, by iterations': (o) =>
    graph.smallestEigenpairs(graph.laplacian(large), { k: 3, ...o }),
  spectralEmbedding: (o) => graph.spectralEmbedding(large, { dim: 2, ...o }),
  spectralClustering: (o) => graph.spectralClustering(large, { clusters: 3, ...o }),
  checkLaplacian: (o) => graph.checkLaplacian(normed, { rowSums: 'any', ...o }),
  assertLaplacian: (o) => graph.assertLaplacian('op', normed, { rowSums: 'any', ...o }),
  'effectiveResistances, exact': (o) => graph.effectiveResistances(small, inStages(o)),
  'effectiveResistances, by projections': (o) => graph.effectiveResistances(large, inStages(o)),
  sparsifyByResistance: (o) => graph.sparsifyByResistance(large, { samples: 900, ...inStages(o) }),
}
function inStages({ signal, onProgress }: WatchOptions): graph.ResistanceOptions {
  return { signal, onProgress: ({ share }) => onProgress?.({ fraction: share }) }
}

describe('long work', () => {
  it.each(Object.entries(steady))('reports progress: %s', async (_, run) => {
    const told: number[] = []
    const result = await run({ onProgress: ({ fraction }) => void told.push(fraction) })
    expect(told.length).toBeGreaterThan(2)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
    expect(told[0]).toBeGreaterThanOrEqual(0)
    expect(told.at(-1)).toBe(1)
    expect(result).toEqual(await run({})) // the result is the same
  })

  it.each(Object.entries({ ...steady, ...other }))('can be aborted in the middle: %s', async (_, run) => {
    const stop = new AbortController()
    let calls = 0
    const onProgress = () => {
      if (++calls === 2) stop.abort(new Error('enough'))
    }
    await expect(Promise.resolve().then(() => run({ signal: stop.signal, onProgress }))).rejects.toThrow(
      'enough',
    )
    expect(calls).toBe(2)
  })

  it.each(Object.entries({ ...steady, ...other }))(
    'does not start if the signal is aborted: %s',
    async (_, run) => {
      const signal = AbortSignal.abort(new Error('never'))
      const onProgress = vi.fn()
      await expect(Promise.resolve().then(() => run({ signal, onProgress }))).rejects.toThrow('never')
      expect(onProgress).not.toHaveBeenCalled()
    },
  )

  it('leaves an index as it was', () => {
    const index = new TaumodeIndex(L, fixed)
    index.add(x)
    const stop = new AbortController()
    const onProgress = () => stop.abort(new Error('enough'))
    expect(() => index.add(normalMatrix(3, 50, 12), { signal: stop.signal, onProgress })).toThrow('enough')
    expect(index.size).toBe(90)
    expect(index.byLambda(0, 1)).toHaveLength(90)
  })
})
