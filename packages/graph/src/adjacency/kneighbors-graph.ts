import { checkInteger } from '../dense/matrix.ts'
import { matrixOf, type Rows } from '../dense/points.ts'
import { GraphError } from '../errors.ts'
import type { NeighbourLists } from '../neighbors/bounded.ts'
import { checkLists } from '../neighbors/check-lists.ts'
import { type KNeighborsOptions, kneighbors } from '../neighbors/kneighbors.ts'
import { type Csr, csrFromCoo } from '../sparse/csr.ts'

/** The search's own besides: metric, device, signal, onProgress. */
export interface KneighborsGraphOptions extends Omit<KNeighborsOptions, 'queries'> {
  /** neighbours per point, the point itself among them with `includeSelf` */
  k: number
  /** connectivity: every value is 1;  distance: values are distances, a stored 0 where points coincide. 'connectivity' unless given */
  mode?: 'connectivity' | 'distance'
  /** a point is its own first neighbour; false unless given */
  includeSelf?: boolean
}

/** Exact k nearest neighbours, by `kneighbors`, as a sparse matrix like that of scikit-learn's `kneighbors_graph`: points [N, F] → [N, N],
 *  k entries in each row, not symmetric. Equal distances go to the smaller index; with `includeSelf` a point comes before its copies (scikit-learn leaves both
 *  open).
 *  Throws GraphError for k out of range, an unknown mode, and points not finite, naming row and column; and what `kneighbors` throws. */
export const kneighborsGraph = async (
  points: Rows,
  { k, mode, includeSelf = false, ...options }: KneighborsGraphOptions,
): Promise<Csr> => {
  const x = matrixOf('kneighborsGraph', points)
  checkInteger('kneighborsGraph', 'k', k, 1, includeSelf ? x.rows : x.rows - 1, `there are ${x.rows} points`)
  const others = includeSelf ? k - 1 : k
  const lists = others > 0 ? await kneighbors(x, { ...options, k: others }) : emptyLists(x.rows)
  return graphFromLists(lists, { mode, includeSelf })
}

const emptyLists = (nNodes: number): NeighbourLists => ({
  nNodes,
  indptr: new Int32Array(nNodes + 1),
  indices: new Int32Array(),
  distances: new Float64Array(),
})

/** Neighbour lists, from whatever search, as such a matrix [n, n]: an entry per neighbour, and one on the diagonal with `includeSelf`.
 *  Throws GraphError for an unknown mode, lists that are not well formed, a neighbour that is no node, a distance that is NaN, and a list that
 *  names a node twice. */
export const graphFromLists = (
  lists: NeighbourLists,
  { mode = 'connectivity', includeSelf = false }: Pick<KneighborsGraphOptions, 'mode' | 'includeSelf'> = {},
): Csr => {
  if (mode !== 'connectivity' && mode !== 'distance') {
    throw new GraphError(
      `graphFromLists: mode must be 'connectivity' or 'distance', got '${mode satisfies never}'`,
    )
  }
  const { nNodes, indptr, indices, distances } = lists
  checkLists('graphFromLists', lists, distances, {
    name: 'distances',
    rule: 'numbers',
    isRight: (d) => !Number.isNaN(d),
  })
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
