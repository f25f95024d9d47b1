import { expectNear } from '@tau/testing'
import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { globalNorm } from './global-norm.ts'
import { globalNormReference } from './reference.ts'

const SHAPES = [
  [1536, 384],
  [384, 1536],
  [384, 384],
]
const SIZE = SHAPES.reduce((sum, [rows, cols]) => sum + rows * cols, 0)

/** Gradients of part of a layer, each a buffer of its own. */
export const benches: Benches = [
  {
    name: 'global-norm/layer',
    shape: '[1536, 384] [384, 1536] [384, 384]',
    work: { bytes: bytesOf(SIZE) },
    readsOnly: true,
    boundBy: 'conversions to f64',
    prepare(device) {
      const grads = SHAPES.map((shape, i) => randomInput(device, shape, i))
      const tensors = grads.map(({ tensor }) => tensor)
      return {
        ...opCase(
          device,
          () => globalNorm(tensors),
          () => 0,
          {},
        ),
        async check() {
          using norm = globalNorm(tensors)
          const expected = globalNormReference(grads.map(({ values }) => Float64Array.from(values)))
          expectNear([await norm.item()], [expected], { rtol: 1e-6 })
        },
      }
    },
  },
]
