import type { Work } from '@tau/tensor/kernel'
import type { LaplacianTensor } from '../../laplacian-tensor.ts'

/** Sizes of a Laplacian. `edgeCount` counts each edge in both directions. */
type Graph = Pick<LaplacianTensor, 'dim' | 'edgeCount'>

const work = (rows: number, flopsPerRow: number, elementsPerRow: number): Work => ({
  flops: rows * flopsPerRow,
  bytes: rows * elementsPerRow * Float32Array.BYTES_PER_ELEMENT,
})

/** Work of xᵀLx and xᵀx: w (x_i − x_j)² for each edge once, x_i² and ρ_i x_i² for each channel. It reads x
 *  and writes energy and λ. */
export const energyWork =
  (rows: number, { dim, edgeCount }: Graph) =>
  (): Work =>
    work(rows, 2 * edgeCount + 4 * dim, dim + 2)

/** Work of their gradient: w (x_i − x_j) for each edge in both directions. It reads x, energy and dλ and
 *  writes dX. */
export const energyGradWork =
  (rows: number, { dim, edgeCount }: Graph) =>
  (): Work =>
    work(rows, 3 * edgeCount + 4 * dim, 2 * dim + 2)
