import type { CpuEngine } from '@tau/tensor/kernel'
import { edgeSums } from '../../generated/constants.ts'
import { attentionWasm } from '../cpu-module.ts'
import { energyGradWork, energyWork } from '../taumode/energy-work.ts'
import type {
  RotaryTaumodeGradKernel,
  RotaryTaumodeKernel,
  RotaryTaumodeShape,
  TauOfHeads,
} from './rotary-taumode.ts'

/** Rows per work item. */
const { LANES } = edgeSums
/** About 20 µs of work per tile. */
const blockGrain = (dim: number, edges: number) => Math.max(1, Math.floor(16_384 / (dim + edges)))

/** Sizes in the order of the kernels' arguments. */
const sizes = (
  { batch, length, heads, dim, clamp, eps, normEps }: RotaryTaumodeShape,
  shift: number,
  tau: TauOfHeads,
) => [batch * length * heads, length, heads, dim, shift, tau.heads, clamp, eps, normEps]

const rowsOf = ({ batch, length, heads }: RotaryTaumodeShape) => batch * length * heads

export function rotaryTaumodeWasm(engine: CpuEngine): RotaryTaumodeKernel {
  const launch = engine.kernel(attentionWasm, 'rotaryTaumode')
  return (y, { coarse, fine, shift }, laplacian, tau, { energy, lambda }, shape) => {
    const { edgeCount, first, upper, columns, weights, rowSums } = laplacian
    const graph = [first, upper, columns, weights, rowSums].map(({ handle }) => handle)
    launch(
      [y, coarse, fine, ...graph, tau.values, energy, lambda, ...sizes(shape, shift, tau)],
      Math.ceil(rowsOf(shape) / LANES),
      blockGrain(shape.dim, edgeCount),
      energyWork(rowsOf(shape), laplacian), // without the few operations per channel of norm and rotation
    )
  }
}

export function rotaryTaumodeGradWasm(engine: CpuEngine): RotaryTaumodeGradKernel {
  const launch = engine.kernel(attentionWasm, 'rotaryTaumodeGrad')
  return (y, { coarse, fine, shift }, laplacian, tau, { energy, dLambda }, { dY = 0, dTau = 0 }, shape) => {
    const { edgeCount, first, columns, weights, rowSums } = laplacian
    const graph = [first, columns, weights, rowSums].map(({ handle }) => handle)
    launch(
      [y, coarse, fine, ...graph, tau.values, energy, dLambda, dY, dTau, ...sizes(shape, shift, tau)],
      Math.ceil(rowsOf(shape) / LANES),
      blockGrain(shape.dim, edgeCount),
      energyGradWork(rowsOf(shape), laplacian),
    )
  }
}
