import { GraphError } from '../errors.ts'
import { type Csr, checkCsr, transposeCsr } from './csr.ts'

export interface Components {
  count: number
  /** the component of every node; components are numbered by their first node, as in SciPy */
  labels: Int32Array
}

/** Connected components of a graph [n, n]. A stored entry that is not 0 joins two nodes, in either direction;
 *  for a directed graph these are the weak components. Throws GraphError for a matrix that is not square or
 *  not well formed. */
export const connectedComponents = (graph: Csr): Components => {
  checkCsr('connectedComponents', graph)
  if (graph.nRows !== graph.nCols) {
    throw new GraphError(
      `connectedComponents: the matrix must be square, got [${graph.nRows}, ${graph.nCols}]`,
    )
  }
  const directions = [graph, transposeCsr(graph)]
  const labels = new Int32Array(graph.nRows).fill(-1)
  const queue = new Int32Array(graph.nRows)
  let count = 0
  for (let start = 0; start < graph.nRows; start++) {
    if (labels[start] >= 0) continue
    labels[start] = count
    queue[0] = start
    for (let head = 0, tail = 1; head < tail; head++) {
      const node = queue[head]
      for (const { indptr, indices, values } of directions) {
        for (let e = indptr[node]; e < indptr[node + 1]; e++) {
          if (values[e] === 0 || labels[indices[e]] >= 0) continue
          labels[indices[e]] = count
          queue[tail++] = indices[e]
        }
      }
    }
    count++
  }
  return { count, labels }
}
