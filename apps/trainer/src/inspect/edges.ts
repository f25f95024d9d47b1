import type { Csr } from '@tau/graph'
import type { DrawnEdge } from '@tau/report/page'

/** Limits of a drawing. With more nodes or edges it is unreadable. */
export const MOST_NODES = 1000
export const MOST_EDGES = 8000

/** The part of a Laplacian that is drawn: the nodes of largest degree, and the heaviest edges among them. */
export interface DrawnPart {
  /** Nodes of the graph, ascending. */
  readonly nodes: readonly number[]
  /** The ends of an edge are indices in `nodes`. Its weight is −L_ij. */
  readonly edges: readonly DrawnEdge[]
  /** Number of edges among the nodes, drawn or not. */
  readonly edgesAmong: number
}

export function drawnPart(laplacian: Csr, degrees: ArrayLike<number>): DrawnPart {
  const { nRows, indptr, indices, values } = laplacian
  const byDegree = Array.from({ length: nRows }, (_, i) => i).sort((a, b) => degrees[b] - degrees[a] || a - b)
  const nodes = byDegree.slice(0, MOST_NODES).sort((a, b) => a - b)
  const placeOf = new Map(nodes.map((node, place) => [node, place]))
  const weights = new Map<string, DrawnEdge>()
  for (const i of nodes) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      const [from, to] = [placeOf.get(Math.min(i, indices[e])), placeOf.get(Math.max(i, indices[e]))]
      if (from === undefined || to === undefined || from === to || values[e] === 0) continue
      // A symmetric matrix stores an edge twice, and the map keeps it once. An edge that is stored once
      // counts too.
      weights.set(`${from} ${to}`, { from, to, weight: -values[e] })
    }
  }
  const edges = Array.from(weights.values()).sort((a, b) => b.weight - a.weight)
  return { nodes, edges: edges.slice(0, MOST_EDGES), edgesAmong: edges.length }
}
