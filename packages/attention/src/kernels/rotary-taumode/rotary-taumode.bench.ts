import { featureLaplacian, toDense } from '@tau/graph'
import type { Device } from '@tau/tensor'
import { expectSamples, type KernelBench, opCase, randomArray } from '@tau/testing'
import { LaplacianTensor } from '../../laplacian-tensor.ts'
import { type Benches, bytesOf, gradientCase, normalInput } from '../case.bench.ts'
import { rotaryTaumodeReference } from './reference.ts'
import { composedRotaryTaumode, rotaryTaumode } from './rotary-taumode.ts'

/** The queries of tau-30m at its context, with the graph that buildManifold makes by default. */
const [LENGTH, HEADS, DIM, NEIGHBOURS, TAU, LIMIT] = [1024, 6, 64, 15, 1, 5]
const SIZE = LENGTH * HEADS * DIM
const VECTORS = LENGTH * HEADS

const csr = await featureLaplacian(
  { data: randomArray(500 * DIM, 9), cols: DIM },
  { k: NEIGHBOURS, sigma: 1 },
)

function prepare(device: Device) {
  const laplacian = LaplacianTensor.from(device, csr) // outlives the scope; closing the device frees it
  const y = normalInput(device, [1, LENGTH, HEADS * DIM], 1)
  const expected = rotaryTaumodeReference(Float64Array.from(y.values), toDense(csr).data, () => TAU, {
    ...{ batch: 1, length: LENGTH, heads: HEADS, dim: DIM, limit: LIMIT },
  })
  return { laplacian, y, expected }
}

function benchesOf(name: string, run: typeof rotaryTaumode): KernelBench<Device>[] {
  const options = { heads: HEADS, clamp: LIMIT }
  const shape = `[1, ${LENGTH}, ${HEADS * DIM}]`
  return [
    {
      name: `rotary-taumode/forward_${name}`,
      shape,
      work: { bytes: bytesOf(SIZE + 2 * VECTORS) }, // y in, energy and λ out
      prepare(device) {
        const { laplacian, y, expected } = prepare(device)
        return opCase(
          device,
          () => run(y.tensor, laplacian, TAU, options),
          (i) => expected[i],
          { atol: 2e-6 },
        )
      },
    },
    {
      name: `rotary-taumode/forward_backward_${name}`,
      shape,
      work: { bytes: bytesOf(3 * SIZE + 4 * VECTORS) }, // then y, energy and dλ in, dY out
      prepare(device) {
        const { laplacian, y, expected } = prepare(device)
        const dLambda = normalInput(device, [1, HEADS, LENGTH], 2)
        const op = () => run(y.tensor, laplacian, TAU, options)
        return gradientCase(device, { y: y.tensor }, dLambda.tensor, op, (lambda) =>
          expectSamples(lambda, (i) => expected[i], { atol: 2e-6 }),
        )
      },
    },
  ]
}

/** The fused kernel, and the same from single operations. */
export const benches: Benches = [
  ...benchesOf('fused', rotaryTaumode),
  ...benchesOf('composed', composedRotaryTaumode),
]
