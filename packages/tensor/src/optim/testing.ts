import { randomArray } from '@tau/testing'
import type { Device } from '../device.ts'
import { sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { OptimizerSettings, ParameterGroup } from './index.ts'

/** Shared by the test suites of the optimizers: parameters of every kind, with gradients for any number of
 *  steps. */
export const shapes: Readonly<Record<string, readonly number[]>> = {
  wide: [5, 7],
  tall: [11, 3],
  embedding: [13, 2],
  vector: [17],
  scalar: [],
}
export const names = Object.keys(shapes)
export const groups: readonly ParameterGroup[] = [{ names: ['wide', 'tall'], isHidden: true }]

/** Every optimizer, in every form that keeps different state. */
export const settings: readonly OptimizerSettings[] = [
  { name: 'adamw' },
  { name: 'muon' },
  { name: 'sgd' },
  { name: 'sgd', nesterov: true },
  { name: 'sgd', momentum: 0 },
]

const seedOf = (name: string) => 31 + names.indexOf(name)

export const start = (name: string): Float32Array =>
  Float32Array.from(randomArray(sizeOf(shapes[name]), seedOf(name)))

/** Gradients of one step, counted from 1. The norm of the first step is about 0.1, of the others about 11, so
 *  clipping at 1 changes only the others. */
export const gradient = (name: string, step: number): Float32Array =>
  Float32Array.from(randomArray(sizeOf(shapes[name]), 1000 * step + seedOf(name)), (x) =>
    step === 1 ? 0.01 * x : x,
  )

export const normOf = (step: number): number =>
  Math.hypot(...names.flatMap((name) => Array.from(gradient(name, step))))

export const parametersOn = (device: Device): Map<string, Tensor> =>
  new Map(names.map((name) => [name, device.tensor(start(name), shapes[name])]))

export const gradsOn = (device: Device, step: number): Tensor[] =>
  names.map((name) => device.tensor(gradient(name, step), shapes[name]))

export async function readAll(tensors: ReadonlyMap<string, Tensor>): Promise<Record<string, Float32Array>> {
  const values: Record<string, Float32Array> = {}
  for (const [name, tensor] of tensors) values[name] = await tensor.data()
  return values
}

/** A learning rate for each step. */
export const rate = (step: number): number => 0.03 / step
