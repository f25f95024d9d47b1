import { cpu, type Device } from '@tau/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Points } from '../dense/points.ts'
import { normalMatrix } from '../testing.ts'
import { Pace } from '../watch/pace.ts'
import { deviceWithin } from './device/device-within.ts'
import type { NeighborMetric } from './distance.ts'
import { kneighbors } from './kneighbors.ts'
import { plainWithin } from './plain.ts'
import { radiusNeighbors } from './radius-neighbors.ts'
import { searchOf } from './search.ts'
import { clusteredMatrix, metrics, placedOn } from './testing.ts'

const plain = (points: Points, radius: number, metric: NeighborMetric, queries?: Points) =>
  plainWithin(searchOf('test', points, queries, metric), radius, new Pace(1, {}))

describe('radiusNeighbors', () => {
  it('finds hand-derived neighbours on a line, the border included', async () => {
    expect(await radiusNeighbors([[0], [1], [3], [7]], { radius: 3 })).toEqual({
      nNodes: 4,
      indptr: Int32Array.of(0, 2, 4, 6, 6),
      indices: Int32Array.of(1, 2, 0, 2, 1, 0),
      distances: Float64Array.of(1, 3, 1, 2, 2, 3),
    })
  })

  it('of 0 finds duplicates, of a query the points that it is', async () => {
    const points = [[2], [5], [2]]
    expect([...(await radiusNeighbors(points, { radius: 0 })).indices]).toEqual([2, 0])
    expect([...(await radiusNeighbors(points, { radius: 0, queries: [[2], [4]] })).indptr]).toEqual([0, 2, 2])
  })

  it('takes products of at least −radius', async () => {
    const lists = await radiusNeighbors([[1], [2], [-3]], { radius: -2, metric: 'inner-product' })
    expect([...lists.indptr]).toEqual([0, 1, 2, 2])
    expect([...lists.distances]).toEqual([-2, -2])
  })

  it('names what is wrong with bad input', async () => {
    const points = normalMatrix(1, 5, 3)
    await expect(radiusNeighbors(points, { radius: -1 })).rejects.toThrow(
      'radiusNeighbors: radius must be a finite number of at least 0, got -1; give a distance for metric euclidean',
    )
    await expect(radiusNeighbors(points, { radius: Number.NaN })).rejects.toThrow('got NaN')
    await expect(radiusNeighbors([[1, 2]], { radius: 1 })).rejects.toThrow('must be at least 2, got 1')
  })
})

describe.each([
  ['plain', 1],
  ['relaxed', 2],
] as const)('radiusNeighbors on a device, %s with %i threads', (simd, threads) => {
  let device: Device
  beforeAll(async () => {
    device = await cpu({ simd, threads })
  })
  afterAll(() => device.close())

  const same = async (
    points: Points,
    radius: number,
    metric: NeighborMetric,
    queries?: Points,
  ): Promise<number> => {
    const found = await placedOn(device, points, queries, metric, (search) =>
      deviceWithin(search, radius, new Pace(1, {})),
    )
    expect(found).toEqual(await plain(points, radius, metric, queries))
    return found.indices.length
  }

  describe.each(metrics)('%s equals the f64 loops to the bit', (metric) => {
    it('at distances that occur, where the border decides', async () => {
      const x = normalMatrix(5, 1031, 23)
      const { distances } = await kneighbors(x, { k: 20, metric })
      for (const radius of [distances[19], distances[20 * 500 + 19], distances[20 * 1000]].map((d) =>
        metric === 'inner-product' ? d : Math.abs(d),
      ))
        expect(await same(x, radius, metric)).toBeGreaterThan(0)
    })

    it('queries', () => same(normalMatrix(7, 1151, 17), 0.9, metric, normalMatrix(8, 1033, 17)))
    it('clusters', () => same(clusteredMatrix(9, 341, 29, 5, 1e-4), 1e-3, metric))
    it('all of them', async () => {
      const most = metric === 'cosine' ? 1 : metric === 'cosine-unrectified' ? 2 : 1e3
      expect(await same(normalMatrix(6, 61, 3), most, metric)).toBe(61 * 60)
    })
    it('distance 0 among duplicates', () =>
      same({ data: Float64Array.from({ length: 90 }, (_, n) => (n % 10) - 4), rows: 45, cols: 2 }, 0, metric))
  })
})
