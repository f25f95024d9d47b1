import type { Device } from '@tau/tensor'
import { type KernelBench, opCase } from '@tau/testing'
import { type Benches, bytesOf, normalInput } from '../case.bench.ts'
import { ropeReference } from './reference.ts'
import { rope } from './rope.ts'

function bench(what: string, axes: readonly [number, number, number, number]): KernelBench<Device> {
  const [batch, heads, length, dim] = axes
  return {
    name: `rope/${what}`,
    shape: `[${axes.join(', ')}]`,
    work: { bytes: bytesOf(2 * batch * heads * length * dim + length * dim) },
    prepare(device) {
      const x = normalInput(device, axes, 1)
      const expected = ropeReference(Float64Array.from(x.values), length, dim)
      return opCase(
        device,
        () => rope(x.tensor),
        (i) => expected[i],
        { atol: 2e-6 },
      )
    },
  }
}

/** The queries of all heads, for tau-nano's batch of 8 and for tau-30m's context. */
export const benches: Benches = [bench('nano_T256', [8, 4, 256, 32]), bench('30m_T1024', [1, 6, 1024, 64])]
