import { type BenchCase, expectSamples, type KernelBench, randomArray, type Tolerance } from '@tau/testing'
import type { Device } from '../device.ts'
import { type Shape, sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** The benches of a kernel folder. */
export type Benches = readonly KernelBench<Device>[]

/** Bytes of `count` f32 elements. */
export const bytesOf = (count: number): number => 4 * count

/** Seeded normal numbers, on the host and on the device. */
export function randomInput(
  device: Device,
  shape: Shape,
  seed: number,
): { values: Float32Array; tensor: Tensor } {
  const values = Float32Array.from(randomArray(sizeOf(shape), seed))
  return { values, tensor: device.tensor(values, shape) }
}

/** The f64 row of `values` that holds element `index`. */
export function rowAt(values: Float32Array, index: number, cols: number): Float64Array {
  const start = index - (index % cols)
  return Float64Array.from(values.subarray(start, start + cols))
}

/** Times `op`, which makes a new tensor, and holds samples of it against f64 arithmetic. */
export function opCase(
  device: Device,
  op: () => Tensor,
  expectedAt: (index: number) => number,
  tolerance: Tolerance,
): BenchCase {
  return {
    run() {
      using _scope = device.scope()
      op()
    },
    async check() {
      using _scope = device.scope()
      expectSamples(await op().data(), expectedAt, tolerance)
    },
  }
}
