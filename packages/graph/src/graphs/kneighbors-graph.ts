import type { NeighbourLists } from '../bounded-neighbours.ts'
import { type Csr, csrFromCoo } from '../csr.ts'
import { checkInteger, type DenseMatrix } from '../dense.ts'
import type { Metric } from '../distance.ts'
import { GraphError } from '../errors.ts'
import { knnGraph } from '../knn.ts'

export interface KneighborsGraphOptions {
  /** neighbours per point, the point itself among them with `includeSelf` */
  k: number
  /** connectivity: every value is 1;  distance: values are distances, a stored 0 where points coincide. 'connectivity' unless given */
  mode?: 'connectivity' | 'distance'
  /** a point is its own first neighbour; false unless given */
  includeSelf?: boolean
  /** 'euclidean' unless given */
  metric?: Metric
  /** points are the rows or the columns of x; 'rows' unless given */
  nodes?: 'rows' | 'columns'
}

/** Exact k nearest neighbours as a sparse matrix, as scikit-learn's `kneighbors_graph` has it: x [N, F] → [N, N], k entries in each row,
 *  not symmetric. Equal distances go to the smaller index; with `includeSelf` a point comes before its copies (scikit-learn leaves both
 *  open).
 *  Throws GraphError for k out of range, an unknown mode, and x not finite, naming row and column. */
export const kneighborsGraph = (
  x: DenseMatrix,
  {
    k,
    mode = 'connectivity',
    includeSelf = false,
    metric = 'euclidean',
    nodes = 'rows',
  }: KneighborsGraphOptions,
): Csr => {
  const count = nodes === 'rows' ? x.rows : x.cols
  checkInteger('kneighborsGraph', 'k', k, 1, includeSelf ? count : count - 1, `there are ${count} points`)
  const others = includeSelf ? k - 1 : k
  const lists = others > 0 ? knnGraph(x, { k: others, nodes, metric }) : emptyLists(count)
  return graphFromLists(lists, { mode, includeSelf })
}

const emptyLists = (nNodes: number): NeighbourLists => ({
  nNodes,
  indptr: new Int32Array(nNodes + 1),
  indices: new Int32Array(),
  distances: new Float64Array(),
})

/** Neighbour lists, from whatever search, as such a matrix [n, n]: an entry per neighbour, and one on the diagonal with `includeSelf`.
 *  Throws GraphError for an unknown mode, a neighbour that is no node, and a list that names a node twice. */
export const graphFromLists = (
  { nNodes, indptr, indices, distances }: NeighbourLists,
  { mode = 'connectivity', includeSelf = false }: Pick<KneighborsGraphOptions, 'mode' | 'includeSelf'> = {},
): Csr => {
  if (mode !== 'connectivity' && mode !== 'distance') {
    throw new GraphError(
      `graphFromLists: mode must be 'connectivity' or 'distance', got '${mode satisfies never}'`,
    )
  }
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
