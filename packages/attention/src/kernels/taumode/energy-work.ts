import type { Work } from '@tau/tensor/kernel'
import type { LaplacianTensor } from '../../laplacian-tensor.ts'

/** Sizes of a Laplacian; its edges are counted in both directions. */
type Graph = Pick<LaplacianTensor, 'dim' | 'edgeCount'>

const work = (rows: number, flopsPerRow: number, elementsPerRow: number): Work => ({
  flops: rows * flopsPerRow,
  bytes: rows * elementsPerRow * Float32Array.BYTES_PER_ELEMENT,
})

/** xᵀLx and xᵀx of rows: w (x_i − x_j)² for each edge once, x_i² and ρ_i x_i² for each channel. x in, energy and λ out. */
export const energyWork =
  (rows: number, { dim, edgeCount }: Graph) =>
  (): Work =>
    work(rows, 2 * edgeCount + 4 * dim, dim + 2)

/** Their gradient: w (x_i − x_j) for each edge in both directions. x, energy and dλ in, dX out. */
export const energyGradWork =
  (rows: number, { dim, edgeCount }: Graph) =>
  (): Work =>
    work(rows, 3 * edgeCount + 4 * dim, 2 * dim + 2)
