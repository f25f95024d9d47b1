import type { LambdaAlgorithm, LogDecay } from '@tau/attention'
import { type Csr, csrFromCoo } from '@tau/graph'
import { type Device, grad, mul, sum, type Tensor } from '@tau/tensor'
import type { Fields, OracleArray, OracleCase, OracleGroup } from '@tau/testing/oracle'
import type { Found } from './compare.ts'

/** What a group's runner gets besides its case. */
export interface Context {
  readonly device: Device
  /** All groups of the folder, for cases that refer to another group. */
  readonly groups: ReadonlyMap<string, OracleGroup>
  /** The algorithm that the case must run, in groups that run once for each algorithm. */
  readonly algorithm?: LambdaAlgorithm
}

/** Whether λ-distance attention has the algorithm 'sorted' on the device. */
export const hasSortedAlgorithm = ({ engine }: Device): boolean => engine.backend === 'cpu' || engine.hasWgsl

export type Runner = (fixture: OracleCase, context: Context) => Promise<Found>

export const tensorOf = (device: Device, { shape, data }: OracleArray): Tensor =>
  device.tensor(Float32Array.from(data), shape)

/** f64 readings as a decay of two f32 parts: no digit is lost on the way in. */
export function decayOf(device: Device, readings: readonly number[], shape: readonly number[]): LogDecay {
  const high = Float32Array.from(readings)
  const low = Float32Array.from(readings, (reading, i) => reading - high[i])
  return { high: device.tensor(high, shape), low: device.tensor(low, shape) }
}

/** The oracle's sparse dictionary as CSR. */
export function laplacianOf(fields: Fields): Csr {
  const size = fields.number('size')
  return csrFromCoo({
    nRows: size,
    nCols: size,
    row: fields.array('row').data,
    col: fields.array('col').data,
    value: fields.array('value').data,
  })
}

/** out = f(inputs) and the gradients of Σ r·out for the named inputs. */
export async function outAndGradients(
  inputs: Readonly<Record<string, Tensor>>,
  r: Tensor,
  f: () => Tensor,
): Promise<{ out: Float32Array; grads: Record<string, Float32Array> }> {
  let out: Tensor | undefined
  const { grads } = grad(() => {
    out = f()
    return sum(mul(out, r))
  }, Object.values(inputs))
  if (!out) throw new Error('internal: the function under test must have run')
  const found: Record<string, Float32Array> = {}
  for (const [i, name] of Object.keys(inputs).entries()) found[name] = await grads[i].data()
  return { out: await out.data(), grads: found }
}
