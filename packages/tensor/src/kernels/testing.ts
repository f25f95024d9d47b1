import {
  checkGradients,
  type DeviceName,
  describeDevices,
  expectNear,
  randomArray,
  type Tolerance,
} from '@tau/testing'
import { expect, it } from 'vitest'
import { grad } from '../autodiff/tape.ts'
import { cpu } from '../backends/cpu/cpu.ts'
import { gpu } from '../backends/gpu/gpu.ts'
import type { Device } from '../device.ts'
import { type Shape, sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { mul } from './binary/binary.ts'
import { sum } from './reduce/reduce.ts'

/** Shared by the test suites of the kernels. */

/** Lengths to test: none, one, around one vector of four lanes, around eight vectors, and more than one
 *  tile. */
export const LENGTHS = [0, 1, 3, 4, 5, 31, 32, 33, 40_009]

/** Runs the suite on every device. */
export function describeKernel(title: string, suite: (device: () => Device, name: DeviceName) => void): void {
  describeDevices(title, { cpu, gpu }, suite)
}

/** Reproducible normal numbers in f32. */
export const normal = (length: number, seed: number): Float32Array =>
  Float32Array.from(randomArray(length, seed))

export const exactly = (values: Float32Array): Float64Array => Float64Array.from(values)

/** The values of the tensors that `f` makes, in a scope of their own. Fails if a buffer survives the
 *  scope. */
export async function evaluate(device: Device, f: () => readonly Tensor[]): Promise<Float32Array[]> {
  const before = device.memory
  const values = await inScope(device, f)
  expect(device.memory, 'live buffers after the scope').toEqual(before)
  return values
}

async function inScope(device: Device, f: () => readonly Tensor[]): Promise<Float32Array[]> {
  using _scope = device.scope()
  return await Promise.all(f().map((tensor) => tensor.data()))
}

export interface OperationCase {
  readonly shapes: readonly Shape[]
  /** Default: normal numbers. */
  readonly inputs?: readonly Float32Array[]
  readonly operation: (...inputs: Tensor[]) => Tensor
  /** The operation in plain f64 loops. */
  readonly reference: (...inputs: Float64Array[]) => Float64Array
  readonly tolerance: Tolerance
}

const inputsOf = ({ shapes, inputs }: OperationCase): readonly Float32Array[] =>
  inputs ?? shapes.map((shape, i) => normal(sizeOf(shape), i + 1))

/** Compares the operation's result with the reference. */
export async function checkForward(device: Device, test: OperationCase): Promise<void> {
  const inputs = inputsOf(test)
  const [found] = await evaluate(device, () => [
    test.operation(...inputs.map((values, i) => device.tensor(values, test.shapes[i]))),
  ])
  expectNear(found, test.reference(...inputs.map(exactly)), test.tolerance)
}

/** Compares the tape's gradients with central differences of the reference. */
export async function checkBackward(device: Device, test: OperationCase): Promise<void> {
  await checkGradients({
    inputs: inputsOf(test).map(exactly),
    reference: test.reference,
    tolerance: test.tolerance,
    gradients: (inputs, weights) =>
      evaluate(device, () => {
        const tensors = inputs.map((values, i) => device.tensor(values, test.shapes[i]))
        return grad(() => {
          const out = test.operation(...tensors)
          return sum(mul(out, device.tensor(weights, out.shape)))
        }, tensors).grads
      }),
  })
}

/** Tests that one thread and three give the same bits, in both builds. `f` should run several tiles. */
export function itHasTheSameBits(f: (device: Device) => readonly Tensor[]): void {
  it.each(['plain', 'relaxed'] as const)('has the same bits on 1 and 3 threads, %s build', async (simd) => {
    const results: Uint8Array[][] = []
    for (const threads of [1, 3]) {
      const device = await cpu({ threads, simd })
      const values = await evaluate(device, () => f(device))
      results.push(values.map(({ buffer }) => new Uint8Array(buffer)))
      await device.close()
    }
    const [one, three] = results
    one.forEach((bytes, i) => {
      expect(bytes.length, 'bytes compared').toBeGreaterThan(0)
      expect(Buffer.compare(bytes, three[i]), `bytes of result ${i}`).toBe(0)
    })
  })
}
