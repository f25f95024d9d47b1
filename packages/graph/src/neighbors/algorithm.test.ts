import { BackendError, cpu } from '@tau/tensor'
import { describe, expect, it, vi } from 'vitest'
import { GraphError } from '../errors.ts'
import { normalMatrix } from '../testing.ts'
import type { NeighborProgress } from '../watch/pace.ts'
import { fastest } from './algorithm.ts'
import { whyNoUsearch } from './hnsw/usearch.ts'
import { kneighbors } from './kneighbors.ts'
import type { NeighborLists } from './lists.ts'
import { searchOf } from './search.ts'
import { clusteredMatrix, listsOf, metrics } from './testing.ts'

const absent = whyNoUsearch()
if (absent) {
  if (process.env.CI) throw new Error(`CI must have usearch, got ${absent}`)
  console.warn(`skipped the tests of HNSW: ${absent}`)
}

/** Share of the exact neighbours that were found. */
const recall = (found: NeighborLists, exact: NeighborLists): number => {
  let hits = 0
  for (let row = 0; row < exact.nNodes; row++) {
    const list = new Set(found.indices.subarray(found.indptr[row], found.indptr[row + 1]))
    for (let n = exact.indptr[row]; n < exact.indptr[row + 1]; n++) if (list.has(exact.indices[n])) hits++
  }
  return hits / exact.indices.length
}

describe('the algorithms of kneighbors', () => {
  it('are exact for small inputs, with the reason', async () => {
    const x = normalMatrix(1, 200, 7)
    const device = await cpu({ threads: 2 })
    const { algorithm, reason, ...lists } = await kneighbors(x, { k: 5, device, algorithm: 'auto' })
    expect(await kneighbors(x, { k: 5 })).toMatchObject(lists)
    expect(algorithm).toBe('exact')
    expect(reason).toBe('100 pairs per point; exact search is the faster one up to 320000 on 2 threads')
    expect((await kneighbors(x, { k: 5 })).reason).toBe('as requested')
    await device.close()
  })

  it('name what is wrong with bad input', async () => {
    const x = normalMatrix(1, 20, 7)
    await expect(kneighbors(x, { k: 20 })).rejects.toThrow(
      'kneighbors: k must be an integer between 1 and 19, got 20',
    )
    const algorithm = 'annoy' as 'auto'
    await expect(kneighbors(x, { k: 2, algorithm })).rejects.toThrow(GraphError)
    await expect(kneighbors(x, { k: 2, algorithm })).rejects.toThrow(
      "kneighbors: algorithm must be one of exact, hnsw, auto, got 'annoy'",
    )
    const hnsw = { expansionSearch: 0 }
    await expect(kneighbors(x, { k: 2, algorithm: 'hnsw', hnsw })).rejects.toThrow(
      'kneighbors: hnsw.expansionSearch must be an integer between 2 and 65536, got 0; leave it out',
    )
  })
})

describe('the choice by size', () => {
  const search = (rows: number, metric: (typeof metrics)[number]) => ({
    ...searchOf('test', normalMatrix(1, 3, 2), undefined, metric),
    queries: rows,
    count: rows,
  })

  it('is HNSW for many pairs per point, later with more threads', () => {
    expect(fastest(search(420_000, 'cosine'), 2, () => undefined).algorithm).toBe('exact')
    expect(fastest(search(430_000, 'cosine'), 2, () => undefined)).toEqual({
      algorithm: 'hnsw',
      reason: '215000 pairs per point; exact search is the faster one up to 210000 on 2 threads',
    })
    expect(fastest(search(430_000, 'cosine'), 4, () => undefined).algorithm).toBe('exact')
    expect(fastest(search(430_000, 'euclidean'), 2, () => undefined).algorithm).toBe('exact')
    const fewQueries = { ...search(1e7, 'euclidean'), queries: 1000, self: false }
    expect(fastest(fewQueries, 1, () => undefined).algorithm).toBe('exact')
  })

  it('stays exact, and says why, without usearch and for inner products', () => {
    expect(fastest(search(1e6, 'cosine'), 2, () => 'no usearch')).toEqual({
      algorithm: 'exact',
      reason:
        '500000 pairs per point; exact search is the faster one up to 210000 on 2 threads; but no usearch',
    })
    expect(fastest(search(1e6, 'inner-product'), 2, () => undefined).reason).toContain('not known for inner')
  })
})

describe('HNSW without usearch', () => {
  it('is a BackendError with the next step', async () => {
    const spy = vi.spyOn(process, 'getBuiltinModule')
    const fails = async (message: string) => {
      const promise = kneighbors(normalMatrix(1, 20, 7), { k: 2, algorithm: 'hnsw' })
      await expect(promise).rejects.toThrow(BackendError)
      await expect(promise).rejects.toThrow(message)
    }
    const missing = () => {
      throw new Error("Cannot find module 'usearch'\nRequire stack: …")
    }
    spy.mockReturnValue({ createRequire: () => missing })
    await fails(
      "kneighbors: algorithm 'hnsw' needs usearch, got Cannot find module 'usearch'; install it with npm install usearch, or use 'exact'",
    )
    spy.mockReturnValue(undefined)
    await fails("kneighbors: algorithm 'hnsw' needs Node, got another runtime; use 'exact'")
    spy.mockRestore()
  })
})

describe.skipIf(absent)(`HNSW${absent ? ` (skipped: ${absent})` : ''}`, () => {
  it.each(metrics.filter((metric) => metric !== 'inner-product'))(
    'finds nearly all neighbours, with exact distances in order: %s',
    async (metric) => {
      const x = normalMatrix(3, 3001, 13)
      const exact = await kneighbors(x, { k: 10, metric })
      const { algorithm, ...lists } = await kneighbors(x, { k: 10, metric, algorithm: 'hnsw' })
      expect(algorithm).toBe('hnsw')
      expect(recall(lists, exact)).toBeGreaterThan(0.95)
      for (let row = 0; row < 3001; row++) {
        const [begin, end] = [lists.indptr[row], lists.indptr[row + 1]]
        expect(end - begin).toBeLessThanOrEqual(10)
        for (let n = begin; n < end; n++) {
          expect(lists.indices[n]).not.toBe(row)
          if (n > begin) expect(lists.distances[n]).toBeGreaterThanOrEqual(lists.distances[n - 1])
          const place = exact.indices.subarray(row * 10, row * 10 + 10).indexOf(lists.indices[n])
          if (place >= 0) expect(lists.distances[n]).toBe(exact.distances[row * 10 + place])
        }
      }
    },
  )

  it('finds all there are among few points, zero vectors and duplicates too', async () => {
    const points = [
      [0, 0],
      [1, 0],
      [1, 0],
      [0, 2],
      [-1, 1],
    ]
    for (const metric of metrics)
      expect(listsOf(await kneighbors(points, { k: 4, metric, algorithm: 'hnsw' }))).toEqual(
        listsOf(await kneighbors(points, { k: 4, metric })),
      )
  })

  it('takes one query', async () => {
    const x = normalMatrix(4, 500, 5)
    const queries = normalMatrix(5, 1, 5)
    expect(listsOf(await kneighbors(x, { k: 6, queries, algorithm: 'hnsw' }))).toEqual(
      listsOf(await kneighbors(x, { k: 6, queries })),
    )
  })

  it('finds more with a wider search', async () => {
    const x = clusteredMatrix(6, 2003, 31, 3, 1)
    const exact = await kneighbors(x, { k: 10 })
    const recalls: number[] = []
    for (const expansionSearch of [10, 200]) {
      const hnsw = { connectivity: 4, expansionAdd: 16, expansionSearch }
      recalls.push(recall(await kneighbors(x, { k: 10, algorithm: 'hnsw', hnsw }), exact))
    }
    expect(recalls[1]).toBeGreaterThan(recalls[0] + 0.05)
  })

  it('gives the same lists on one thread and on two', async () => {
    const x = normalMatrix(7, 1500, 9)
    const lists: NeighborLists[] = []
    for (const threads of [1, 2]) {
      const device = await cpu({ threads })
      lists.push(await kneighbors(x, { k: 8, algorithm: 'hnsw', device }))
      await device.close()
    }
    expect(lists[1]).toEqual(lists[0])
  })

  it('reports progress, and stops at a signal', async () => {
    const x = normalMatrix(8, 9001, 24)
    const reports: NeighborProgress[] = []
    const onProgress = (progress: NeighborProgress) => void reports.push(progress)
    await kneighbors(x, { k: 3, algorithm: 'hnsw', onProgress })
    expect(reports.length).toBeGreaterThan(1)
    expect(reports.at(-1)).toMatchObject({ fraction: 1, rows: 9001 })
    const signal = AbortSignal.timeout(100)
    await expect(kneighbors(x, { k: 3, algorithm: 'hnsw', signal })).rejects.toThrow('aborted due to timeout')
  })
})
