import type { DrawnEdge } from '@tau/report/page'
import { Random } from '@tau/tensor'
import { UndirectedGraph } from 'graphology'
import forceAtlas2 from 'graphology-layout-forceatlas2'

/** A wheel of nodes has settled by then; 400 nodes take a second. */
const ITERATIONS = 500
/** Nodes above which repulsion is summed over cells of a tree. */
const BARNES_HUT = 1000

/** Places [n] of the nodes by ForceAtlas2 (Jacomy et al., PLoS ONE 9, 2014): joined nodes attract each other by weight, all others repel. Begins
 *  at seeded random places, so the same graph is drawn alike every time. */
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
