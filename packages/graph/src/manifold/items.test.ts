import { cpu, Random } from '@tau/tensor'
import { describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../dense/matrix.ts'
import { type EmbeddingSource, matrixSource, type RowBlock } from '../embeddings/source.ts'
import { maxError, normalMatrix } from '../testing.ts'
import { clusterItems } from './cluster-items.ts'
import { Reservoir, ShareSample } from './item-sample.ts'

const blockOf = ({ data, rows, cols }: DenseMatrix, first: number, count: number): RowBlock => ({
  ...{ data: data.slice(first * cols, (first + count) * cols), rows: count, cols, first },
  share: (first + count) / rows,
})

const inBlocks = (x: DenseMatrix, most: number): EmbeddingSource => ({
  ...matrixSource(x),
  async *blocks() {
    for (let first = 0; first < x.rows; first += most) yield blockOf(x, first, Math.min(most, x.rows - first))
  },
})

/** Every row holds its own index. */
const numbered = (rows: number): DenseMatrix => ({
  ...{ data: Float64Array.from({ length: rows }, (_, i) => i), rows, cols: 1 },
})

describe('ShareSample', () => {
  it('keeps its share of every row, in order, the same for any blocks', () => {
    const x = numbered(20_000)
    const kept = (seed: number, most: number): number[] => {
      const sample = new ShareSample(0.3, seed)
      const rows: number[] = []
      for (let first = 0; first < x.rows; first += most)
        rows.push(...sample.keep(blockOf(x, first, Math.min(most, x.rows - first))).data)
      return rows
    }
    const rows = kept(1, 20_000)
    expect(rows).toEqual(rows.toSorted((a, b) => a - b))
    // four standard deviations of a binomial: 4 · √(20 000 · 0.3 · 0.7)
    expect(Math.abs(rows.length - 6000)).toBeLessThan(260)
    expect(kept(1, 777)).toEqual(rows)
    expect(kept(2, 777)).not.toEqual(rows)
  })
})

describe('Reservoir', () => {
  it('holds every row with the same probability', () => {
    const [rows, size, runs] = [40, 10, 2000]
    const counts = new Float64Array(rows)
    for (let seed = 0; seed < runs; seed++) {
      const reservoir = new Reservoir(size, seed)
      reservoir.add(blockOf(numbered(rows), 0, 17))
      reservoir.add(blockOf(numbered(rows), 17, 23))
      const held = reservoir.rows(1)
      expect(new Set(held.data).size).toBe(size)
      for (const row of held.data) counts[row]++
    }
    // each count is binomial: 500 within 5 · √(2000 · ¼ · ¾)
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(97)
  })

  it('holds all rows if they are few', () => {
    const reservoir = new Reservoir(10, 0)
    reservoir.add(blockOf(numbered(4), 0, 4))
    expect(reservoir.rows(1)).toEqual({ data: Float64Array.of(0, 1, 2, 3), rows: 4, cols: 1 })
  })
})

describe('clusterItems', () => {
  /** Seven groups of points that are far apart, and their means. */
  const heaps = () => {
    const [clusters, cols, rows] = [7, 5, 701]
    const random = new Random(4)
    const places = Float64Array.from({ length: clusters * cols }, () => 40 * random.gaussian())
    const noise = normalMatrix(5, rows, cols).data
    const data = Float64Array.from(
      noise,
      (v, n) => v + places[(Math.floor(n / cols) % clusters) * cols + (n % cols)],
    )
    const means = new Float64Array(clusters * cols)
    for (let n = 0; n < data.length; n++) {
      const heap = Math.floor(n / cols) % clusters
      means[heap * cols + (n % cols)] += data[n] / Math.ceil((rows - heap) / clusters)
    }
    return { x: { data, rows, cols }, means, clusters }
  }
  const byFirst = ({ data, cols }: DenseMatrix): number[][] =>
    Array.from({ length: data.length / cols }, (_, i) => [...data.subarray(i * cols, (i + 1) * cols)]).sort(
      (a, b) => a[0] - b[0],
    )

  it('finds heaps: the mean of each, and the sum of squares around them', async () => {
    const { x, means, clusters } = heaps()
    const found = await clusterItems(inBlocks(x, 100), clusters, undefined, { seed: 1 })
    const expected = byFirst({ data: means, rows: clusters, cols: x.cols })
    expect(maxError(byFirst(found).flat(), expected.flat())).toBeLessThan(1e-12)
    let inertia = 0
    for (let n = 0; n < x.data.length; n++) {
      const heap = Math.floor(n / x.cols) % clusters
      inertia += (x.data[n] - means[heap * x.cols + (n % x.cols)]) ** 2
    }
    expect(found.inertia / inertia).toBeCloseTo(1, 9)
    expect(found).toMatchObject({ items: 701, rows: 7, cols: 5 })
  })

  it('lowers the sum of squares from round to round until it hardly changes', async () => {
    const x = normalMatrix(6, 997, 3)
    const inertias: number[] = []
    const source = inBlocks(x, 250)
    for (const seed of [1, 2, 3]) {
      const { inertia, passes } = await clusterItems(source, 31, undefined, { seed })
      expect(passes).toBeLessThanOrEqual(10)
      inertias.push(inertia)
    }
    // 31 cells of equal weight in 3 dimensions hold about 997 · 3 · 31^(−2/3) of 2991
    for (const inertia of inertias) expect(inertia).toBeLessThan(0.15 * 2991)
  })

  it('is the same on any number of threads, and that of f64 for heaps', async () => {
    const { x, clusters } = heaps()
    const results = []
    for (const threads of [1, 2]) {
      const device = await cpu({ threads })
      results.push(await clusterItems(inBlocks(x, 100), clusters, device, { seed: 1 }))
      await device.close()
    }
    expect(results[1]).toEqual(results[0])
    const { data } = await clusterItems(inBlocks(x, 333), clusters, undefined, { seed: 1 })
    expect(maxError(results[0].data, data)).toBeLessThan(1e-12)
  })

  it('takes copies: a centre without rows stays where it is', async () => {
    const x = { data: Float64Array.from({ length: 40 }, (_, i) => i % 2), rows: 40, cols: 1 }
    const { data, inertia } = await clusterItems(inBlocks(x, 7), 5, undefined, { seed: 1 })
    expect(inertia).toBe(0)
    expect(new Set(data)).toEqual(new Set([0, 1]))
  })
})
