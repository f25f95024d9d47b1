import { type Device, Random } from '@tau/tensor'
import type { CpuEngine } from '@tau/tensor/kernel'
import type { DenseMatrix } from '../dense/matrix.ts'
import type { Points } from '../dense/points.ts'
import { normalMatrix } from '../testing.ts'
import { Pace } from '../watch/pace.ts'
import { PlacedSearch } from './device/placed.ts'
import type { NeighborMetric } from './distance.ts'
import type { NeighborLists } from './lists.ts'
import { searchOf } from './search.ts'

export const metrics: readonly NeighborMetric[] = [
  'cosine',
  'cosine-unrectified',
  'euclidean',
  'inner-product',
]

/** The lists without the algorithm and its reason. */
export const listsOf = ({ nNodes, indptr, indices, distances }: NeighborLists): NeighborLists => ({
  nNodes,
  indptr,
  indices,
  distances,
})

export const engineOf = ({ engine }: Device): CpuEngine => {
  if (engine.backend !== 'cpu') throw new Error('a test needs a cpu device')
  return engine
}

/** Runs a search on the device, even if it is small. */
export const placedOn = async (
  device: Device,
  points: Points,
  queries: Points | undefined,
  metric: NeighborMetric,
  run: (placed: PlacedSearch) => Promise<NeighborLists>,
): Promise<NeighborLists> => {
  using placed = new PlacedSearch(device, engineOf(device), searchOf('test', points, queries, metric))
  await placed.place(new Pace(1, {}))
  return await run(placed)
}

/** Normal vectors around `clusters` normal centres, with standard deviation `spread` around each centre. */
export const clusteredMatrix = (
  seed: number,
  rows: number,
  cols: number,
  clusters: number,
  spread: number,
): DenseMatrix => {
  const random = new Random(seed)
  const centres = normalMatrix(seed + 1, clusters, cols).data
  const data = new Float64Array(rows * cols)
  for (let row = 0; row < rows; row++) {
    const cluster = random.integer(clusters)
    for (let c = 0; c < cols; c++)
      data[row * cols + c] = centres[cluster * cols + c] + spread * random.gaussian()
  }
  return { data, rows, cols }
}
