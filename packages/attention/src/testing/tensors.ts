import { type Device, grad, mul, sum, type Tensor } from '@tau/tensor'
import type { OracleArray } from '@tau/testing/oracle'

/** A tensor with one leading axis of size 1 per `lead`. */
export const tensorOf = (device: Device, { shape, data }: OracleArray, lead = 0): Tensor =>
  device.tensor(Float32Array.from(data), [...Array<number>(lead).fill(1), ...shape])

/** out = f() and the gradients of Σ weights·out for the named inputs. */
export async function outAndGrads<Names extends string>(
  inputs: Readonly<Record<Names, Tensor>>,
  weights: Tensor,
  f: () => Tensor,
): Promise<{ out: Float32Array; grads: Record<Names, Float32Array> }> {
  const names = Object.keys(inputs) as Names[]
  let out: Tensor | undefined
  const { grads } = grad(
    () => {
      out = f()
      return sum(mul(out, weights))
    },
    names.map((name) => inputs[name]),
  )
  const values = await Promise.all(grads.map((tensor) => tensor.data()))
  if (!out) throw new Error('internal: the function under test must have run')
  return {
    out: await out.data(),
    grads: Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Names, Float32Array>,
  }
}
