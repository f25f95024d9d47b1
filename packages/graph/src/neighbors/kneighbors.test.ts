import { cpu, type Device, Random } from '@tau/tensor'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../dense/matrix.ts'
import type { Points } from '../dense/points.ts'
import { normalMatrix } from '../testing.ts'
import { Pace } from '../watch/pace.ts'
import { deviceNearest } from './device/device-nearest.ts'
import type { NeighborMetric } from './distance.ts'
import { kneighbors } from './kneighbors.ts'
import { plainNearest } from './plain.ts'
import { searchOf } from './search.ts'
import { clusteredMatrix, listsOf, metrics, placedOn } from './testing.ts'

const plain = (points: Points, k: number, metric: NeighborMetric, queries?: Points) =>
  plainNearest(searchOf('test', points, queries, metric), k, new Pace(1, {}))

const placed = (device: Device, points: Points, k: number, metric: NeighborMetric, queries?: Points) =>
  placedOn(device, points, queries, metric, (search) => deviceNearest(search, k, new Pace(1, {})))

/** Every row three times, so each row has 2 others at distance 0. */
const tripled = (x: DenseMatrix): DenseMatrix => ({
  data: Float64Array.from([...x.data, ...x.data, ...x.data]),
  rows: 3 * x.rows,
  cols: x.cols,
})

describe('the f64 loops of kneighbors', () => {
  it('find hand-derived neighbours of queries, one of them a point', async () => {
    const points = [[0], [1], [3], [7]]
    expect(listsOf(await kneighbors(points, { k: 2, queries: [[3], [5.5]] }))).toEqual({
      nNodes: 2,
      indptr: Int32Array.of(0, 2, 4),
      indices: Int32Array.of(2, 1, 3, 2),
      distances: Float64Array.of(0, 2, 1.5, 2.5),
    })
  })

  it('take the largest inner products, as negative numbers', async () => {
    const points = [
      [1, 0],
      [3, 0],
      [0, 2],
      [-1, 0],
    ]
    expect(await kneighbors(points, { k: 3, metric: 'inner-product' })).toMatchObject({
      indices: Int32Array.of(1, 2, 3, 0, 2, 3, 0, 1, 3, 2, 0, 1),
      distances: Float64Array.of(-3, 0, 1, -3, 0, 3, 0, 0, 0, 0, 1, 3),
    })
  })
})

describe.each([
  ['plain', 1],
  ['relaxed', 2],
] as const)('kneighbors on a device, %s with %i threads', (simd, threads) => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ simd, threads })
  })
  afterAll(() => device.close())

  const same = async (points: Points, k: number, metric: NeighborMetric, queries?: Points): Promise<void> => {
    const found = await placed(device, points, k, metric, queries)
    expect(found).toEqual(await plain(points, k, metric, queries))
  }

  // 1031 rows give two blocks of unequal size, 37 rows give one; 23 columns are not a multiple of four
  describe.each(metrics)('%s equals the f64 loops to the bit', (metric) => {
    it.each([
      [37, 23, 5],
      [1031, 23, 15],
      [1031, 1, 3],
      [263, 131, 262],
    ])('normal points [%i, %i], k = %i', (rows, cols, k) => same(normalMatrix(5, rows, cols), k, metric))

    it('in f32', () => {
      const x = normalMatrix(6, 211, 13)
      return same({ ...x, data: Float32Array.from(x.data) }, 7, metric)
    })

    it('queries', () => same(normalMatrix(7, 1151, 17), 11, metric, normalMatrix(8, 1033, 17)))
    it('one query', () => same(normalMatrix(7, 151, 17), 151, metric, normalMatrix(8, 1, 17)))
    it('one point', () => same(normalMatrix(7, 1, 17), 1, metric, normalMatrix(8, 3, 17)))

    it.each([1e-1, 1e-4, 1e-9])('clusters of radius %d', (spread) =>
      same(clusteredMatrix(9, 641, 29, 5, spread), 9, metric),
    )

    it('far from the origin', async () => {
      const x = normalMatrix(10, 311, 31)
      await same({ ...x, data: x.data.map((v) => v + 1e5) }, 9, metric)
    })

    it('duplicates', () => same(tripled(normalMatrix(11, 131, 29)), 7, metric))

    it('many zero vectors and ties', () => {
      const random = new Random(12)
      const data = Float64Array.from({ length: 701 * 3 }, () => random.integer(3) - 1)
      return same({ data, rows: 701, cols: 3 }, 12, metric)
    })

    it('an outlier', () => {
      const x = normalMatrix(13, 307, 29)
      x.data[100] = 1e6
      return same(x, 9, metric)
    })

    it('huge and tiny values', async () => {
      const x = normalMatrix(14, 97, 7)
      const far = metric === 'inner-product' ? 300 : 1000 // products of larger numbers overflow
      for (const factor of [2 ** far, 2 ** -far])
        await same({ ...x, data: x.data.map((v) => v * factor) }, 5, metric)
    })

    it('lengths of many magnitudes', () => {
      const x = normalMatrix(15, 257, 11)
      return same({ ...x, data: x.data.map((v, n) => v * 10 ** -(Math.floor(n / 11) % 40)) }, 6, metric)
    })
  })

  it('equals the f64 loops on any small points', async () => {
    const entry = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.double({ min: -1e3, max: 1e3, noNaN: true }))
    const cases = fc
      .tuple(fc.integer({ min: 2, max: 41 }), fc.integer({ min: 1, max: 5 }))
      .chain(([rows, cols]) =>
        fc.record({
          points: fc.array(fc.array(entry, { minLength: cols, maxLength: cols }), {
            minLength: rows,
            maxLength: rows,
          }),
          k: fc.integer({ min: 1, max: rows - 1 }),
          metric: fc.constantFrom(...metrics),
        }),
      )
    await fc.assert(
      fc.asyncProperty(cases, ({ points, k, metric }) => same(points, k, metric)),
      { seed: 3, numRuns: 300 },
    )
  })
})
