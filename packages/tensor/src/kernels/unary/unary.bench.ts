import type { KernelBench } from '@tau/testing'
import type { Device } from '../../device.ts'
import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { unaryReference } from './reference.ts'
import { exp, sigmoid, silu, square, tanh } from './unary.ts'

const SIZE = 4096 * 384
const ops = { exp, sigmoid, silu, square, tanh }

/** Activations of four sequences of 1024 tokens. Memory limits one of the functions; the exponential limits
 *  the other four. */
export const benches: Benches = Object.entries(ops).map(
  ([name, op]): KernelBench<Device> => ({
    name: `unary/${name}`,
    shape: '[4096, 384]',
    work: { bytes: bytesOf(2 * SIZE) },
    ...(name !== 'square' && { boundBy: 'instructions of the exponential' }),
    prepare(device) {
      const x = randomInput(device, [SIZE], 1)
      const reference = unaryReference[name as keyof typeof ops]
      return opCase(
        device,
        () => op(x.tensor),
        (i) => reference(x.values[i]),
        { rtol: 1e-6, atol: 1e-7 },
      )
    },
  }),
)
