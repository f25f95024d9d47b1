import { checkInteger } from '../dense/matrix.ts'
import { matrixOf, type Points } from '../dense/points.ts'
import { checkOptions, GraphError } from '../errors.ts'
import { checkLists } from '../neighbors/check-lists.ts'
import { type KneighborsOptions, kneighbors } from '../neighbors/kneighbors.ts'
import type { NeighborLists } from '../neighbors/lists.ts'
import { type Csr, csrFromCoo } from '../sparse/csr.ts'

/** Options of the graph, besides the options of `kneighbors`. */
export interface KneighborsGraphOptions extends Omit<KneighborsOptions, 'queries'> {
  /** neighbours per point; with `includeSelf` the point itself is one of them */
  k: number
  /** connectivity: every value is 1;  distance: values are distances, with a stored 0 if points coincide.
   *  'connectivity' unless given */
  mode?: 'connectivity' | 'distance'
  /** whether a point is its own first neighbour; false unless given */
  includeSelf?: boolean
  /** largest distance of a neighbour; null (no limit) unless given */
  eps?: number | null
}

/** The k nearest neighbours of `kneighbors` as a sparse matrix, like scikit-learn's `kneighbors_graph`:
 *  points [N, F] → [N, N]. Every row has k entries unless `eps` removes some. The matrix is not symmetric.
 *  Equal distances go to the smaller index. With `includeSelf` a point comes before its copies. (scikit-learn
 *  promises neither.)
 *  Throws GraphError for k or eps out of range, an unknown mode, and points that are not finite, naming row
 *  and column. It also throws what `kneighbors` throws. */
export const kneighborsGraph = async (points: Points, options: KneighborsGraphOptions): Promise<Csr> => {
  const op = 'kneighborsGraph'
  checkOptions(op, options, '{ k }')
  const { k, mode, includeSelf = false, eps = null, ...search } = options
  const x = matrixOf(op, points)
  checkInteger(op, 'k', k, 1, includeSelf ? x.rows : x.rows - 1, `there are ${x.rows} points`)
  if (eps !== null && !(eps >= 0)) {
    throw new GraphError(`${op}: eps must be null or a number of at least 0, got ${eps}`)
  }
  const others = includeSelf ? k - 1 : k
  const lists = others > 0 ? await kneighbors(x, { ...search, k: others }) : emptyLists(x.rows)
  return csrFromNeighbors(eps === null ? lists : within(lists, eps), { mode, includeSelf })
}

const within = ({ nNodes, indptr, indices, distances }: NeighborLists, eps: number): NeighborLists => {
  const isNear = (e: number) => distances[e] <= eps
  const kept = new Int32Array(nNodes + 1)
  for (let i = 0; i < nNodes; i++) {
    kept[i + 1] = kept[i]
    for (let e = indptr[i]; e < indptr[i + 1]; e++) if (isNear(e)) kept[i + 1]++
  }
  return {
    nNodes,
    indptr: kept,
    indices: indices.filter((_, e) => isNear(e)),
    distances: distances.filter((_, e) => isNear(e)),
  }
}

const emptyLists = (nNodes: number): NeighborLists => ({
  nNodes,
  indptr: new Int32Array(nNodes + 1),
  indices: new Int32Array(),
  distances: new Float64Array(),
})

/** Neighbour lists, e.g. from `radiusNeighbors`, as a sparse matrix [n, n] with one entry per neighbour. With
 *  `includeSelf` every row also has an entry on the diagonal.
 *  Throws GraphError for an unknown mode, lists that are not well formed, a neighbour that is not a node, a
 *  NaN distance, and a list that names a node twice. */
export const csrFromNeighbors = (
  lists: NeighborLists,
  { mode = 'connectivity', includeSelf = false }: Pick<KneighborsGraphOptions, 'mode' | 'includeSelf'> = {},
): Csr => {
  if (mode !== 'connectivity' && mode !== 'distance') {
    throw new GraphError(
      `csrFromNeighbors: mode must be 'connectivity' or 'distance', got '${mode satisfies never}'`,
    )
  }
  checkLists('csrFromNeighbors', lists, lists?.distances, {
    name: 'distances',
    rule: 'numbers',
    isRight: (d) => !Number.isNaN(d),
  })
  const { nNodes, indptr, indices, distances } = lists
  const selves = includeSelf ? nNodes : 0
  const row = new Int32Array(selves + indices.length)
  const col = new Int32Array(row.length)
  const value = new Float64Array(row.length)
  for (let i = 0; i < selves; i++) row[i] = col[i] = i
  for (let i = 0; i < nNodes; i++) row.fill(i, selves + indptr[i], selves + indptr[i + 1])
  col.set(indices, selves)
  value.set(distances, selves)
  if (mode === 'connectivity') value.fill(1)
  return csrFromCoo({ nRows: nNodes, nCols: nNodes, row, col, value }, { duplicates: 'error' })
}
