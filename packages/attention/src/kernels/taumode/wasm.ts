import type { CpuEngine } from '@tau/tensor/kernel'
import { edgeSums } from '../../generated/constants.ts'
import { attentionWasm } from '../cpu-module.ts'
import { energyGradWork, energyWork } from './energy-work.ts'
import type { TaumodeGradKernel, TaumodeKernel } from './taumode.ts'

/** Rows per work item. */
const { LANES } = edgeSums
/** About 20 µs of work per tile. */
const blockGrain = (dim: number, edges: number) => Math.max(1, Math.floor(8192 / (dim + edges)))

export function taumodeWasm(engine: CpuEngine): TaumodeKernel {
  const launch = engine.kernel(attentionWasm, 'taumode')
  return (x, laplacian, tau, energy, lambda, rows, eps) => {
    const { dim, edgeCount, first, upper, columns, weights, rowSums } = laplacian
    const graph = [first, upper, columns, weights, rowSums].map(({ handle }) => handle)
    launch(
      [x, ...graph, tau.values, energy, lambda, rows, dim, tau.inner, tau.count, eps],
      Math.ceil(rows / LANES),
      blockGrain(dim, edgeCount),
      energyWork(rows, laplacian),
    )
  }
}

export function taumodeGradWasm(engine: CpuEngine): TaumodeGradKernel {
  const launch = engine.kernel(attentionWasm, 'taumodeGrad')
  return (x, laplacian, tau, energy, dLambda, { dX = 0, dTau = 0 }, rows, eps) => {
    const { dim, edgeCount, first, columns, weights, rowSums } = laplacian
    const graph = [first, columns, weights, rowSums].map(({ handle }) => handle)
    launch(
      [x, ...graph, tau.values, energy, dLambda, dX, dTau, rows, dim, tau.inner, tau.count, eps],
      Math.ceil(rows / LANES),
      blockGrain(dim, edgeCount),
      energyGradWork(rows, laplacian),
    )
  }
}
