/** The neighbours of each node, nearest first; equal distances are ordered by index. Node i owns the entries
 *  [indptr[i], indptr[i + 1]). */
export interface NeighborLists {
  nNodes: number
  indptr: Int32Array
  indices: Int32Array
  distances: Float64Array
}
