import { Random } from '@tau/tensor'
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { PANEL, type Panel } from '../kernels/panel-space.ts'
import { laplacian } from '../laplacian/laplacian.ts'
import { type Csr, spmm } from '../sparse/csr.ts'
import { toMlMatrix } from '../sparse/ml-matrix.ts'
import { denseEigenpairs } from '../spectrum/dense.ts'
import { removeKernel } from '../spectrum/kernel-vectors.ts'
import { Watch } from '../watch/watch.ts'
import { EXACT_LIMIT, type ResistanceOptions } from './effective-resistance.ts'
import type { LaplacianProblem } from './laplacian-problem.ts'
import { dots, solvePanel } from './panel-solver.ts'

const POWER_STEPS = 10
// The solver need not be exact, because the ratio is computed from whatever direction it gives.
const SOLVE_TOLERANCE = 1e-3

/** Largest |xᵀL̃x / xᵀLx − 1| over x outside the kernel of L. L̃ is the Laplacian of another graph on the
 *  same nodes. It is exact up to 512 nodes. For larger graphs it is the largest result of eight power
 *  iterations on L⁺·(L̃ − L), an estimate from below. */
export const spectralError = async (
  problem: LaplacianProblem,
  other: Csr,
  { seed = 0, signal, onProgress }: ResistanceOptions,
): Promise<{ error: number; method: 'exact' | 'power' }> => {
  const changed = laplacian(other)
  if (other.nRows <= EXACT_LIMIT)
    return { error: await exactError(problem, changed, signal), method: 'exact' }
  const { space, degree, kernel } = problem
  const random = new Random(seed, 2)
  const watch = new Watch({ signal })
  let x = space.take()
  for (let n = 0; n < x.data.length; n++) x.data[n] = random.float() - 0.5
  removeKernel(x, kernel)
  let error = 0
  const image = space.take()
  for (let step = 0; step < POWER_STEPS; step++) {
    onProgress?.({ stage: 'error', share: step / POWER_STEPS })
    await watch.turn(0)
    space.step(x, image, 1, 0, 0)
    const energy = dots(x.data, image.data)
    const difference = differenceOf(changed, x, image)
    const ratios = dots(x.data, difference.data).map((value, c) => Math.abs(value) / energy[c])
    error = Math.max(error, ...ratios)
    image.data.set(difference.data)
    const next = await solvePanel(space, { degree, kernel, tolerance: SOLVE_TOLERANCE, watch }, image)
    const norms = dots(next.data, next.data)
    for (let n = 0; n < next.data.length; n++) next.data[n] /= Math.sqrt(norms[n % PANEL]) || 1
    space.give(x)
    x = next
  }
  space.give(x)
  space.give(image)
  return { error, method: 'power' }
}

/** L̃·x − L·x */
const differenceOf = (changed: Csr, { data }: Panel, image: Panel) => {
  const product = spmm(changed, { data, rows: changed.nRows, cols: PANEL })
  for (let n = 0; n < product.data.length; n++) product.data[n] -= image.data[n]
  return product
}

/** Largest |eigenvalue − 1| of Λ^-½·Uᵀ·L̃·U·Λ^-½, with the eigenpairs U, Λ of L outside its kernel. */
const exactError = async (
  { laplacian: L, kernel }: LaplacianProblem,
  changed: Csr,
  signal: AbortSignal | undefined,
): Promise<number> => {
  const { values, vectors } = await denseEigenpairs(L, { signal })
  const columns = values.length - kernel.count
  const scaled = new Matrix(L.nRows, columns)
  for (let i = 0; i < L.nRows; i++) {
    for (let c = 0; c < columns; c++) {
      const j = c + kernel.count
      scaled.set(i, c, vectors.data[i * vectors.cols + j] / Math.sqrt(values[j]))
    }
  }
  const ratios = scaled.transpose().mmul(toMlMatrix(changed).mmul(scaled))
  const { realEigenvalues } = new EigenvalueDecomposition(ratios, { assumeSymmetric: true })
  return Math.max(...realEigenvalues.map((value) => Math.abs(value - 1)))
}
