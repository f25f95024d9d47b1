import { shapeText } from '@tau/tensor'
import { checkInteger, type DenseMatrix } from '../dense/matrix.ts'
import { matrixOf, type Points } from '../dense/points.ts'
import { largestMagnitude, safeScale } from '../dense/scale.ts'
import { GraphError } from '../errors.ts'
import { type NeighborMetric, type PreparedPoints, preparePoints } from './distance.ts'

const METRICS: readonly NeighborMetric[] = ['cosine', 'cosine-unrectified', 'euclidean', 'inner-product']

/** A search: the rows [0, queries) of `all` search among `count` rows of `all`, from row `first` on. */
export interface Search {
  readonly all: PreparedPoints
  readonly queries: number
  readonly first: number
  readonly count: number
  /** whether the queries are the points; then first is 0, and no point is its own neighbour */
  readonly self: boolean
}

/** Number of points that can be neighbours of one row. */
export const available = ({ count, self }: Search): number => (self ? count - 1 : count)

/** Checks points, queries and metric, and makes a search of them. Throws GraphError. */
export const searchOf = (
  op: string,
  points: Points,
  queries: Points | undefined,
  metric: NeighborMetric,
): Search => {
  if (!METRICS.includes(metric)) {
    throw new GraphError(`${op}: metric must be one of ${METRICS.join(', ')}, got ${metric}`)
  }
  const y = matrixOf(op, points)
  if (queries === undefined) {
    if (y.rows < 2) {
      throw new GraphError(
        `${op}: points without queries must be at least 2, got ${y.rows}; add points or give queries`,
      )
    }
    return { all: pointsIn(op, y, metric), queries: y.rows, first: 0, count: y.rows, self: true }
  }
  const x = matrixOf(`${op}: queries`, queries)
  if (x.cols !== y.cols) {
    throw new GraphError(
      `${op}: queries must have as many columns as the points, got ${shapeText([x.rows, x.cols])} and ${shapeText([y.rows, y.cols])}`,
    )
  }
  const all = pointsIn(op, stacked(x, y), metric)
  return { all, queries: x.rows, first: x.rows, count: y.rows, self: false }
}

const pointsIn = (op: string, x: DenseMatrix, metric: NeighborMetric): PreparedPoints => {
  if (metric === 'inner-product' && safeScale(x.data, 0, x.data.length) !== 1) {
    throw new GraphError(
      `${op}: the largest magnitude must be 0 or between 1e-120 and 1e120 for inner-product, got ${largestMagnitude(x.data)}; scale the points`,
    )
  }
  return preparePoints(x, metric)
}

const stacked = (x: DenseMatrix, y: DenseMatrix): DenseMatrix => {
  const data = new Float64Array(x.data.length + y.data.length)
  data.set(x.data)
  data.set(y.data, x.data.length)
  return { data, rows: x.rows + y.rows, cols: y.cols }
}

/** Throws GraphError unless every row can have k neighbours, and their lists fit in an array. */
export const checkK = (op: string, k: number, search: Search): void => {
  const most = available(search)
  const advice = k > most ? 'lower k or add points' : k < 1 ? 'raise k' : 'pass a whole number'
  checkInteger(op, 'k', k, 1, most, advice)
  checkInteger(op, 'rows × k', search.queries * k, 1, 2 ** 31 - 1, 'lower k')
}
