import { describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../../dense/matrix.ts'
import { normalMatrix } from '../../testing.ts'
import { distanceOf, sumsSquares } from '../distance.ts'
import { searchOf } from '../search.ts'
import { clusteredMatrix, metrics } from '../testing.ts'
import { Scores, sumOfDistance } from './scores.ts'

/** Largest error of an f32 score relative to its bound, over all pairs. Products are summed in f32, one after
 *  the other. */
const worstShare = (x: DenseMatrix, metric: (typeof metrics)[number]): number => {
  const search = searchOf('test', x, undefined, metric)
  const scores = new Scores(search)
  const vectors = scores.vectors(0, x.rows)
  const shifts = scores.shifts()
  const { data, dim } = search.all
  let worst = 0
  for (let i = 0; i < x.rows; i++)
    for (let j = 0; j < x.rows; j++) {
      let product = 0
      let sum = 0
      for (let c = 0; c < dim; c++) {
        product = Math.fround(product + Math.fround(vectors[i * dim + c] * vectors[j * dim + c]))
        const [a, b] = [data[i * dim + c], data[j * dim + c]]
        sum += sumsSquares(metric) ? (a - b) ** 2 : a * b
      }
      const found = Math.fround(shifts[j] - product)
      worst = Math.max(worst, Math.abs(found - scores.ofSum(i, sum)) / scores.bound(i, sum))
      expect(found).toBeLessThanOrEqual(scores.limit(i, sum))
    }
  return worst
}

describe.each(metrics)('scores of %s', (metric) => {
  it.each([
    ['normal points', normalMatrix(1, 97, 31)],
    ['points of two coordinates', normalMatrix(2, 97, 2)],
    ['clusters', clusteredMatrix(3, 97, 13, 5, 1e-5)],
    [
      'points in one octant',
      { ...normalMatrix(4, 97, 31), data: normalMatrix(4, 97, 31).data.map(Math.abs) },
    ],
    [
      'lengths of many magnitudes',
      {
        ...normalMatrix(5, 97, 7),
        data: normalMatrix(5, 97, 7).data.map((v, n) => v * 10 ** -(Math.floor(n / 7) % 40)),
      },
    ],
  ])('are wrong by no more than their bound, %s', (_, x) => {
    const worst = worstShare(x, metric)
    expect(worst).toBeLessThan(1)
    expect(worst).toBeGreaterThan(0)
  })

  it('of sums are those of distances', () => {
    const scale = metric === 'euclidean' ? 4 : 1
    for (const sum of [0.25, 0.5])
      expect(sumOfDistance(metric, scale, distanceOf(metric, scale, sum))).toBeCloseTo(sum, 14)
  })
})
