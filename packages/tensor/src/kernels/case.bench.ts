import { type KernelBench, randomArray } from '@tau/testing'
import type { Device } from '../device.ts'
import { type Shape, sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

export { opCase } from '@tau/testing'

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
