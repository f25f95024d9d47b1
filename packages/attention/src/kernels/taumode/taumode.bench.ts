import { type Csr, featureLaplacian, toDense } from '@tau/graph'
import type { Device } from '@tau/tensor'
import { expectSamples, type KernelBench, opCase, randomArray } from '@tau/testing'
import { DEFAULT_EPS } from '../../constants.ts'
import { LaplacianTensor } from '../../laplacian-tensor.ts'
import { type Benches, bytesOf, gradientCase, normalInput, rowOf } from '../case.bench.ts'
import { taumodeReference } from './reference.ts'
import { taumode } from './taumode.ts'

const TAU = 1

interface Case {
  readonly what: string
  readonly axes: readonly [number, number, number, number]
  readonly laplacian: Csr
}

/** A graph over the features of 500 seeded embeddings. `k` is a quarter of the features, at most 15, as in
 *  buildManifold. */
function laplacianOf(dim: number, k: number) {
  const data = randomArray(500 * dim, 9)
  return featureLaplacian({ data, rows: 500, cols: dim }, { k, sigma: 1 })
}

function inputs(device: Device, { axes, laplacian: csr }: Case) {
  const dim = axes[3]
  const laplacian = LaplacianTensor.from(device, csr) // outlives the scope; closing the device frees it
  const x = normalInput(device, axes, 1)
  const dense = toDense(csr).data
  const reference = (row: number) => taumodeReference(rowOf(x.values, row, dim), dense, dim, () => TAU)
  return { x, dense, reference, op: () => taumode(x.tensor, laplacian, TAU) }
}

const rowsOf = ([batch, heads, length]: Case['axes']): number => batch * heads * length

const forward = (shape: Case): KernelBench<Device> => ({
  name: `taumode/forward_${shape.what}`,
  shape: `[${shape.axes.join(', ')}]`,
  work: { bytes: bytesOf(rowsOf(shape.axes) * (shape.axes[3] + 2)) }, // x in, energy and λ out
  prepare(device) {
    const { op, reference } = inputs(device, shape)
    return opCase(device, op, (row) => reference(row).lambda[0], { atol: 2e-6 })
  },
})

const forwardBackward = (shape: Case): KernelBench<Device> => ({
  name: `taumode/forward_backward_${shape.what}`,
  shape: `[${shape.axes.join(', ')}]`,
  work: { bytes: bytesOf(rowsOf(shape.axes) * (3 * shape.axes[3] + 4)) }, // then x, energy and dλ in, dX out
  prepare(device) {
    const { x, dense, op, reference } = inputs(device, shape)
    const dim = shape.axes[3]
    const dLambda = normalInput(device, shape.axes.slice(0, 3), 2)
    return gradientCase(device, { x: x.tensor }, dLambda.tensor, op, (lambda, grads) => {
      expectSamples(lambda, (row) => reference(row).lambda[0], { atol: 2e-6 })
      // dX = dλ · τ/(E + τ)² · 2(Lx − E·x)/(xᵀx + ε)
      const dXAt = (index: number) => {
        const row = Math.floor(index / dim)
        const channel = index % dim
        const vector = rowOf(x.values, row, dim)
        const energy = reference(row).energy[0]
        const square = vector.reduce((sum, value) => sum + value * value, 0)
        const product = vector.reduce((sum, value, c) => sum + dense[channel * dim + c] * value, 0)
        const slope = (2 * (product - energy * vector[channel])) / (square + DEFAULT_EPS)
        return ((dLambda.values[row] * TAU) / (energy + TAU) ** 2) * slope
      }
      expectSamples(grads.x, dXAt, { atol: 5e-6 })
    })
  },
})

const CASES: readonly Case[] = [
  { what: 'nano_T256', axes: [8, 4, 256, 32], laplacian: await laplacianOf(32, 8) },
  { what: '30m_T1024', axes: [1, 6, 1024, 64], laplacian: await laplacianOf(64, 15) },
]

/** λ of all queries, for tau-nano's batch of 8 and for tau-30m's context. */
export const benches: Benches = CASES.flatMap((shape) => [forward(shape), forwardBackward(shape)])
