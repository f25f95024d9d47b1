import type { DrawnEdge } from '@tau/report/page'
import { Random } from '@tau/tensor'
import { UndirectedGraph } from 'graphology'
import forceAtlas2 from 'graphology-layout-forceatlas2'

/** Iterations of the layout. A ring of nodes is stable by then. 400 nodes take a second. */
const ITERATIONS = 500
/** Above this number of nodes, repulsion is approximated by the cells of a tree (Barnes-Hut). */
const BARNES_HUT = 1000

/** Places [n] of the nodes by ForceAtlas2 (Jacomy et al., PLoS ONE 9, 2014). Edges pull their nodes together
 *  by weight, and all nodes repel each other. It starts at seeded random places, so the same graph always
 *  gets the same drawing. */
export function layoutGraph(
  size: number,
  edges: readonly DrawnEdge[],
): readonly { readonly x: number; readonly y: number }[] {
  const random = new Random(0)
  const graph = new UndirectedGraph()
  for (let i = 0; i < size; i++) graph.addNode(i, { x: random.float() - 0.5, y: random.float() - 0.5 })
  for (const { from, to, weight } of edges) graph.addEdge(from, to, { weight: Math.abs(weight) })
  const settings = { ...forceAtlas2.inferSettings(size), barnesHutOptimize: size > BARNES_HUT }
  const places = forceAtlas2(graph, { iterations: ITERATIONS, getEdgeWeight: 'weight', settings })
  return Array.from({ length: size }, (_, i) => places[i])
}
