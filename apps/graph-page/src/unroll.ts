import { type Csr, kneighborsGraph, spectralEmbedding, symmetrize } from '@tau/graph'
import type { Device } from '@tau/tensor'
import { swissRoll } from './roll.ts'

export const POINTS = 5000
const NEIGHBOURS = 10
const SEED = 1

/** A roll, its graph, and the layout that follows from the graph alone. */
export interface Unrolled {
  /** [POINTS, 3] */
  readonly points: Float64Array
  /** [POINTS, 2] */
  readonly layout: Float64Array
  readonly graph: Csr
}

/** Makes the points, the graph of their nearest neighbours and its spectral embedding. The bits are the same
 *  in a worker and in Node. `tell` is called with the progress. */
export const unroll = async (device: Device, tell: (status: string) => void): Promise<Unrolled> => {
  const points = swissRoll(POINTS, SEED)
  const lists = await kneighborsGraph(points, {
    k: NEIGHBOURS,
    device,
    onProgress: ({ fraction }) => tell(`neighbours: ${Math.round(100 * fraction)} %`),
  })
  const graph = symmetrize(lists)
  const { embedding } = await spectralEmbedding(graph, {
    dim: 2,
    device,
    onProgress: ({ converged, wanted }) => tell(`layout: ${converged} of ${wanted} vectors`),
  })
  return { points: points.data, layout: embedding.data, graph }
}
