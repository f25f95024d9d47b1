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
  if (mode !== 'connectivity' && mode !== 'distance') {
    throw new GraphError(
      `kneighborsGraph: mode must be 'connectivity' or 'distance', got '${mode satisfies never}'`,
    )
  }
  const count = nodes === 'rows' ? x.rows : x.cols
  checkInteger('kneighborsGraph', 'k', k, 1, includeSelf ? count : count - 1, `there are ${count} points`)
  const others = includeSelf ? k - 1 : k
  const lists = others > 0 ? knnGraph(x, { k: others, nodes, metric }) : undefined
  const row = new Int32Array(count * k)
  const col = new Int32Array(count * k)
  const value = new Float64Array(count * k)
  for (let i = 0, at = 0; i < count; i++) {
    row.fill(i, at, at + k)
    if (includeSelf) col[at++] = i
    for (let e = i * others; lists && e < (i + 1) * others; e++) {
      col[at] = lists.indices[e]
      value[at++] = lists.distances[e]
    }
  }
  if (mode === 'connectivity') value.fill(1)
  return csrFromCoo({ nRows: count, nCols: count, row, col, value })
}
