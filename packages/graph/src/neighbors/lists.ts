/** For each node its neighbours, nearest first, equal distances by index: node i owns entries [indptr[i], indptr[i + 1]). */
export interface NeighborLists {
  nNodes: number
  indptr: Int32Array
  indices: Int32Array
  distances: Float64Array
}
