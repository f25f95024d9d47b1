import { BackendError, cpu, type Device, gpu } from '@tau/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GraphError } from '../errors.ts'
import { normalMatrix } from '../testing.ts'
import type { NeighborProgress } from '../watch/pace.ts'
import { kneighbors } from './kneighbors.ts'
import { radiusNeighbors } from './radius-neighbors.ts'
import { engineOf, metrics } from './testing.ts'

describe('bad input of searches', () => {
  const points = normalMatrix(1, 7, 3)
  const fails = async (promise: Promise<unknown>, message: string) => {
    await expect(promise).rejects.toThrow(GraphError)
    await expect(promise).rejects.toThrow(message)
  }

  it('numbers that are not finite, by row and value', async () => {
    const data = points.data.slice()
    data[13] = Number.NaN
    const advice = 'at row 4, column 1; remove or repair that row'
    await fails(
      kneighbors({ ...points, data }, { k: 2 }),
      `kneighbors: every element must be finite, got NaN ${advice}`,
    )
    data[13] = Number.NEGATIVE_INFINITY
    await fails(
      radiusNeighbors({ ...points, data }, { radius: 2 }),
      `radiusNeighbors: every element must be finite, got -Infinity ${advice}`,
    )
    await fails(
      kneighbors(points, { k: 2, queries: { ...points, data } }),
      `kneighbors: queries: every element must be finite, got -Infinity ${advice}`,
    )
  })

  it('ragged rows, and none', async () => {
    await fails(
      kneighbors([[1, 2], [3, 4], [5]], { k: 1 }),
      'kneighbors: rows must have the same length, got 2 in row 0 and 1 in row 2; pad or remove that row',
    )
    await fails(kneighbors([], { k: 1 }), 'a matrix needs at least one row and one column, got [0, 0]')
    await fails(kneighbors([[], []], { k: 1 }), 'got [2, 0]')
    await fails(
      kneighbors({ ...points, rows: 8 }, { k: 1 }),
      'data must hold rows × cols = 8 × 3 = 24 elements, got 21',
    )
    await fails(
      kneighbors(points, { k: 1, queries: [[1, 2]] }),
      'kneighbors: queries must have as many columns as the points, got [1, 2] and [7, 3]',
    )
  })

  it('k, metric, one point', async () => {
    await fails(
      kneighbors(points, { k: 7 }),
      'kneighbors: k must be an integer between 1 and 6, got 7; lower k or add points',
    )
    await fails(kneighbors(points, { k: 8, queries: points }), 'between 1 and 7, got 8')
    await fails(kneighbors(points, { k: 0 }), 'got 0; raise k')
    await fails(kneighbors(points, { k: 1.5 }), 'got 1.5; pass a whole number')
    await fails(kneighbors(points, { k: 2.5 }), 'got 2.5')
    await fails(
      kneighbors([[1, 2]], { k: 1 }),
      'kneighbors: points without queries must be at least 2, got 1; add points or give queries',
    )
    const metric = 'manhattan' as 'cosine'
    await fails(
      kneighbors(points, { k: 2, metric }),
      'metric must be one of cosine, cosine-unrectified, euclidean, inner-product, got manhattan',
    )
  })

  it('inner products that overflow', async () => {
    await fails(
      kneighbors([[1e200], [1], [2]], { k: 1, metric: 'inner-product' }),
      'kneighbors: the largest magnitude must be 0 or between 1e-120 and 1e120 for inner-product, got 1e+200; scale the points',
    )
  })

  it('a device that is not a cpu', async () => {
    const device = await gpu({ mode: 'cpu' })
    await expect(kneighbors(points, { k: 2, device })).rejects.toThrow(BackendError)
    await expect(kneighbors(points, { k: 2, device })).rejects.toThrow(
      'kneighbors: the device must be a cpu device (f64 kernels), got gpu',
    )
    await device.close()
  })
})

describe('zero vectors', () => {
  it.each(['cosine', 'cosine-unrectified'] as const)('are at %s distance 1 from all', async (metric) => {
    const points = [
      [1, 0],
      [0, 0],
      [0, 1],
    ]
    const { indices, distances } = await kneighbors(points, { k: 2, metric })
    expect([...indices.subarray(2, 4)]).toEqual([0, 2])
    expect([...distances.subarray(2, 4)]).toEqual([1, 1])
  })
})

describe('large searches', () => {
  // too large for the plain JavaScript loops
  const points = normalMatrix(21, 5003, 11)
  let device: Device
  beforeAll(async () => {
    device = await cpu({ threads: 2 })
  })
  afterAll(() => device.close())

  it('give the same bits on a device of one thread, of two, on one of their own, and on the plain build', async () => {
    const one = await cpu({ threads: 1 })
    const plain = await cpu({ threads: 2, simd: 'plain' })
    const expected = await kneighbors(points, { k: 7, device })
    for (const other of [one, plain, undefined])
      expect(await kneighbors(points, { k: 7, device: other })).toEqual(expected)
    await one.close()
    await plain.close()
  })

  it('never hold all products: 12 bytes per coordinate, lists and blocks', async () => {
    const [n, dim, k] = [points.rows, points.cols, 7]
    const fresh = await cpu({ threads: 1 })
    const before = fresh.memory.peakBytes
    await kneighbors(points, { k, device: fresh })
    await radiusNeighbors(points, { radius: 0.5, device: fresh })
    const blocks = 20 * 1024 * 1024
    expect(fresh.memory.peakBytes - before).toBeLessThan(12 * n * dim + 8 * n * (k + 9) + blocks)
    expect(blocks).toBeLessThan(n * n)
    await fresh.close()
  })

  it.each(metrics)('leave nothing behind, done or aborted: %s', async (metric) => {
    const engine = engineOf(device)
    const live: number[] = []
    const alloc = engine.alloc.bind(engine)
    const free = engine.free.bind(engine)
    let held = 0
    engine.alloc = (bytes) => {
      held++
      return alloc(bytes)
    }
    engine.free = (handle) => {
      held--
      free(handle)
    }
    try {
      await kneighbors(points, { k: 3, metric, device })
      live.push(held)
      await radiusNeighbors(points, { radius: metric === 'inner-product' ? -9 : 0.1, metric, device })
      live.push(held)
      const controller = new AbortController()
      setTimeout(() => controller.abort(new Error('enough')), 60)
      const search = kneighbors(normalMatrix(22, 12_007, 64), {
        k: 3,
        metric,
        device,
        signal: controller.signal,
      })
      await expect(search).rejects.toThrow('enough')
      live.push(held)
      expect(live).toEqual([0, 0, 0])
    } finally {
      Reflect.deleteProperty(engine, 'alloc')
      Reflect.deleteProperty(engine, 'free')
    }
  })

  it('do not start if the signal is aborted', async () => {
    const signal = AbortSignal.abort(new Error('never'))
    await expect(kneighbors(points, { k: 3, signal })).rejects.toThrow('never')
  })

  it('report progress up to the end', async () => {
    const reports: NeighborProgress[] = []
    await kneighbors(points, { k: 3, device, onProgress: (progress) => reports.push(progress) })
    expect(reports.at(-1)).toMatchObject({ fraction: 1, rows: 5003 })
    for (const [n, { fraction, rows, rowsPerSecond }] of reports.entries()) {
      expect(fraction).toBeGreaterThanOrEqual(n > 0 ? reports[n - 1].fraction : 0)
      expect(rows).toBeLessThanOrEqual(5003)
      if (fraction > 0) expect(rowsPerSecond).toBeGreaterThan(0) // the fraction stays 0 while the points are placed
    }
  })

  it('of few queries, in plain loops, also stop', async () => {
    const many = normalMatrix(24, 40_009, 64)
    const queries = normalMatrix(25, 15, 64)
    const signal = AbortSignal.timeout(1)
    await expect(kneighbors(many, { k: 3, queries, signal })).rejects.toThrow('aborted due to timeout')
  })

  it('let events run meanwhile', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await kneighbors(normalMatrix(23, 9001, 64), { k: 3, device })
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(0)
  })

  it('do not depend on what else the device does', async () => {
    const both = await Promise.all([
      kneighbors(points, { k: 4, device }),
      radiusNeighbors(points, { radius: 0.6, device }),
    ])
    expect(both[0]).toEqual(await kneighbors(points, { k: 4, device }))
    expect(both[1]).toEqual(await radiusNeighbors(points, { radius: 0.6, device }))
  })
})
