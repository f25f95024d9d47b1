import { type Device, grad, mul, sum, type Tensor } from '@tau/tensor'
import { type BenchCase, type KernelBench, randomArray } from '@tau/testing'

/** The benches of a kernel folder. */
export type Benches = readonly KernelBench<Device>[]

/** Bytes of `count` f32 elements. */
export const bytesOf = (count: number): number => 4 * count

/** The same numbers on the host and on the device. */
export interface Input {
  readonly values: Float32Array
  readonly tensor: Tensor
}

/** `values`, rounded to f32, as an input of the given shape. */
export const inputOf = (device: Device, values: ArrayLike<number>, shape: readonly number[]): Input => {
  const rounded = Float32Array.from(values)
  return { values: rounded, tensor: device.tensor(rounded, shape) }
}

/** Seeded normal numbers. */
export const normalInput = (device: Device, shape: readonly number[], seed: number): Input =>
  inputOf(
    device,
    randomArray(
      shape.reduce((size, n) => size * n, 1),
      seed,
    ),
    shape,
  )

/** Row `row` of a matrix with `cols` columns, in f64. */
export const rowOf = (values: ArrayLike<number>, row: number, cols: number): Float64Array =>
  Float64Array.from({ length: cols }, (_, c) => values[row * cols + c])

/** Times `op` forward and backward. The backward pass takes the gradients of Σ weights·out for the inputs.
 *  `compare` checks out and the gradients. */
export function gradientCase<Name extends string>(
  device: Device,
  inputs: Readonly<Record<Name, Tensor>>,
  weights: Tensor,
  op: () => Tensor,
  compare: (out: Float32Array, grads: Readonly<Record<Name, Float32Array>>) => void,
): BenchCase {
  const names = Object.keys(inputs) as Name[]
  const tensors = names.map((name) => inputs[name])
  return {
    run() {
      using _scope = device.scope()
      grad(() => sum(mul(op(), weights)), tensors)
    },
    async check() {
      using _scope = device.scope()
      const { grads } = grad(() => sum(mul(op(), weights)), tensors)
      const values = await Promise.all([op(), ...grads].map((tensor) => tensor.data()))
      const byName = Object.fromEntries(names.map((name, i) => [name, values[i + 1]]))
      compare(values[0], byName as Record<Name, Float32Array>)
    },
  }
}
