import type { DenseMatrix } from '../dense/matrix.ts'
import { safeScale } from '../dense/scale.ts'

/** cosine: 1 − max(0, cos), in [0, 1] (ArrowSpace's rectified distance);  cosine-unrectified: 1 − cos, in [0,
 *  2]; euclidean: |a − b|. A zero vector has cosine 0 with every other vector. */
export type Metric = 'cosine' | 'cosine-unrectified' | 'euclidean'

/** Metrics of neighbour searches. inner-product is −a·b, so a larger product is nearer. It is not a distance,
 *  because it may be negative. */
export type NeighborMetric = Metric | 'inner-product'

/** The nodes of a graph as rows of one row-major f64 array, prepared for `distanceTile`. */
export interface PreparedPoints {
  data: Float64Array
  count: number
  dim: number
  metric: NeighborMetric
  /** distances are multiplied by this power of two; it is 1 except for euclidean */
  scale: number
}

/** The rows of x, prepared for `distanceTile`. For the cosines they become unit vectors. For euclidean they
 *  are scaled by a power of two if squares would leave the range of f64. */
export const preparePoints = (x: DenseMatrix, metric: NeighborMetric): PreparedPoints => {
  const { rows: count, cols: dim } = x
  const data = new Float64Array(x.data)
  if (metric === 'inner-product') return { data, count, dim, metric, scale: 1 }
  if (metric === 'euclidean') {
    const factor = x.data instanceof Float32Array ? 1 : safeScale(data, 0, data.length) // squares of f32 fit in f64
    if (factor !== 1) for (let n = 0; n < data.length; n++) data[n] *= factor
    return { data, count, dim, metric, scale: 1 / factor }
  }
  for (let i = 0; i < count; i++) normalise(data, i * dim, (i + 1) * dim)
  return { data, count, dim, metric, scale: 1 }
}

const normalise = (data: Float64Array, start: number, end: number): void => {
  const factor = safeScale(data, start, end)
  let sum = 0
  for (let n = start; n < end; n++) {
    if (factor !== 1) data[n] *= factor
    sum += data[n] * data[n]
  }
  if (sum === 0) return
  const norm = Math.sqrt(sum)
  for (let n = start; n < end; n++) data[n] /= norm
}

// Points per side of a tile, and coordinates per chunk. Two blocks of 32 × 256 f64 take 128 KiB, which fits
// in a usual L2 cache.
export const TILE = 32
const CHUNK = 256

/** Distances between the points [i0, i1) and [j0, j1), at most TILE each, written to `tile` with row stride
 *  TILE. Each distance is one sequential sum over the coordinates. So d(i, j) and d(j, i) have the same
 *  bits. */
export const distanceTile = (
  points: PreparedPoints,
  i0: number,
  i1: number,
  j0: number,
  j1: number,
  tile: Float64Array,
): void => {
  tile.fill(0)
  const accumulate = sumsSquares(points.metric) ? addSquares : addProducts
  for (let c0 = 0; c0 < points.dim; c0 += CHUNK) {
    accumulate(points, i0, i1, j0, j1, c0, Math.min(points.dim, c0 + CHUNK), tile)
  }
  const { metric, scale } = points
  for (let i = 0; i < i1 - i0; i++) {
    for (let n = i * TILE; n < i * TILE + j1 - j0; n++) tile[n] = distanceOf(metric, scale, tile[n])
  }
}

/** Whether a metric's distances come from sums of squared differences. The other metrics use sums of
 *  products. */
export const sumsSquares = (metric: NeighborMetric): boolean => metric === 'euclidean'

/** The distance that belongs to such a sum over the coordinates of two points. */
export const distanceOf = (metric: NeighborMetric, scale: number, sum: number): number => {
  switch (metric) {
    case 'euclidean':
      return Math.sqrt(sum) * scale
    case 'inner-product':
      return 0 - sum // gives 0 for 0, where -sum would give −0
    case 'cosine':
      return 1 - Math.min(1, Math.max(0, sum))
    case 'cosine-unrectified':
      return 1 - Math.min(1, Math.max(-1, sum))
  }
}

type Accumulate = (
  points: PreparedPoints,
  i0: number,
  i1: number,
  j0: number,
  j1: number,
  c0: number,
  c1: number,
  tile: Float64Array,
) => void

/** tile += partial dot products. It takes four j at a time, so one load of x_i serves four sums. */
const addProducts: Accumulate = ({ data, dim }, i0, i1, j0, j1, c0, c1, tile) => {
  for (let i = i0; i < i1; i++) {
    const row = i * dim
    const out = (i - i0) * TILE
    let j = j0
    for (; j + 4 <= j1; j += 4) {
      const n = out + j - j0
      const a = j * dim
      const b = a + dim
      const c = b + dim
      const d = c + dim
      let s0 = tile[n]
      let s1 = tile[n + 1]
      let s2 = tile[n + 2]
      let s3 = tile[n + 3]
      for (let e = c0; e < c1; e++) {
        const x = data[row + e]
        s0 += x * data[a + e]
        s1 += x * data[b + e]
        s2 += x * data[c + e]
        s3 += x * data[d + e]
      }
      tile[n] = s0
      tile[n + 1] = s1
      tile[n + 2] = s2
      tile[n + 3] = s3
    }
    for (; j < j1; j++) {
      let sum = tile[out + j - j0]
      for (let e = c0; e < c1; e++) sum += data[row + e] * data[j * dim + e]
      tile[out + j - j0] = sum
    }
  }
}

/** tile += partial squared differences. It does not use |a|² + |b|² − 2ab, because that cancels for near
 *  neighbours. */
const addSquares: Accumulate = ({ data, dim }, i0, i1, j0, j1, c0, c1, tile) => {
  for (let i = i0; i < i1; i++) {
    for (let j = j0; j < j1; j++) {
      const n = (i - i0) * TILE + j - j0
      let sum = tile[n]
      for (let e = c0; e < c1; e++) {
        const difference = data[i * dim + e] - data[j * dim + e]
        sum += difference * difference
      }
      tile[n] = sum
    }
  }
}
