import { type Device, Random } from '@tau/tensor'
import { PANEL } from '../kernels/panel-space.ts'
import type { Csr } from '../sparse/csr.ts'
import { denseEigenpairs } from '../spectrum/dense.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'
import { type LaplacianProblem, laplacianProblem } from './laplacian-problem.ts'
import { solvePanel } from './panel-solver.ts'

/** Undirected edges i < j of a graph, with their weights and effective resistances R = (e_i − e_j)ᵀ·L⁺·(e_i −
 *  e_j). */
export interface EdgeResistances {
  row: Int32Array
  col: Int32Array
  weight: Float64Array
  resistance: Float64Array
  method: 'exact' | 'projections'
}

export interface ResistanceOptions {
  /** seed of the random projections, 0 unless given */
  seed?: number
  /** a cpu device whose threads are used; the bits are the same as without it */
  device?: Device
  /** ends the work with the signal's reason */
  signal?: AbortSignal
  /** called before each part of the work, with the share of its stage that is done */
  onProgress?: (progress: { stage: 'resistances' | 'error'; share: number }) => void
}

/** Graphs of at most this many nodes use the full decomposition. */
export const EXACT_LIMIT = 512
/** Panels of eight random projections. The 32 projections give a standard error of √(2/32) = 25 % for each
 *  resistance. */
const PANELS = 4
const SOLVE_TOLERANCE = 1e-4

/** Effective resistance of every edge of a symmetric graph with weights ≥ 0. It is exact up to 512 nodes.
 *  Larger graphs use 32 random projections; each is the solution of one Laplacian equation. Σ w·R over the
 *  edges is n minus the number of components (Foster).
 *  Source: Spielman and Srivastava, "Graph sparsification by effective resistances", SIAM J. Comput. 40
 *  (2011), theorem 2.
 *  Throws GraphError as `laplacian` does. */
export const effectiveResistances = async (
  adjacency: Csr,
  options: ResistanceOptions = {},
): Promise<EdgeResistances> => {
  using problem = laplacianProblem('effectiveResistances', adjacency, options.device)
  return await resistancesOf(problem, adjacency, options) // await, because the problem must live until then
}

/** The effective resistances for a problem that is already set up. */
export const resistancesOf = async (
  problem: LaplacianProblem,
  adjacency: Csr,
  { seed = 0, signal, onProgress }: ResistanceOptions,
): Promise<EdgeResistances> => {
  const edges = edgesOf(adjacency)
  if (adjacency.nRows <= EXACT_LIMIT) {
    const watched: WatchOptions = {
      signal,
      onProgress: ({ fraction }) => onProgress?.({ stage: 'resistances', share: fraction }),
    }
    return { ...edges, resistance: await exactResistances(problem, edges, watched), method: 'exact' }
  }
  const resistance = new Float64Array(edges.weight.length)
  const random = new Random(seed)
  const watch = new Watch({ signal })
  for (let p = 0; p < PANELS; p++) {
    onProgress?.({ stage: 'resistances', share: p / PANELS })
    await watch.turn(0)
    await addProjections(problem, edges, random, resistance, watch)
  }
  return { ...edges, resistance, method: 'projections' }
}

type Edges = Pick<EdgeResistances, 'row' | 'col' | 'weight'>

const edgesOf = ({ nRows, indptr, indices, values }: Csr): Edges => {
  const [row, col, weight]: [number[], number[], number[]] = [[], [], []]
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (indices[e] <= i || values[e] === 0) continue
      row.push(i)
      col.push(indices[e])
      weight.push(values[e])
    }
  }
  return { row: Int32Array.from(row), col: Int32Array.from(col), weight: Float64Array.from(weight) }
}

/** R = Σ (x_i − x_j)² / λ over the eigenpairs outside the kernel of L. */
const exactResistances = async (
  { laplacian, kernel }: LaplacianProblem,
  { row, col }: Edges,
  options: WatchOptions,
): Promise<Float64Array> => {
  const { values, vectors } = await denseEigenpairs(laplacian, options)
  return Float64Array.from(row, (i, e) => {
    let sum = 0
    for (let c = kernel.count; c < values.length; c++) {
      const difference = vectors.data[i * vectors.cols + c] - vectors.data[col[e] * vectors.cols + c]
      sum += (difference * difference) / values[c]
    }
    return sum
  })
}

/** Adds the part of eight projections: z = L⁺·Bᵀ·√W·q with one random sign q per edge, R ≈ mean of (z_i −
 *  z_j)². */
const addProjections = async (
  { space, degree, kernel }: LaplacianProblem,
  { row, col, weight }: Edges,
  random: Random,
  resistance: Float64Array,
  watch: Watch,
): Promise<void> => {
  const b = space.take()
  b.data.fill(0)
  for (let e = 0; e < row.length; e++) {
    const root = Math.sqrt(weight[e])
    const bits = random.uint32()
    for (let c = 0; c < PANEL; c++) {
      const value = (bits >>> c) & 1 ? root : -root
      b.data[row[e] * PANEL + c] += value
      b.data[col[e] * PANEL + c] -= value
    }
  }
  const z = await solvePanel(space, { degree, kernel, tolerance: SOLVE_TOLERANCE, watch }, b)
  for (let e = 0; e < row.length; e++) {
    for (let c = 0; c < PANEL; c++) {
      const difference = z.data[row[e] * PANEL + c] - z.data[col[e] * PANEL + c]
      resistance[e] += (difference * difference) / (PANELS * PANEL)
    }
  }
  space.give(b)
  space.give(z)
}
