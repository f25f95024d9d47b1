import type { Handle } from '../../backends/engine.ts'
import type { Device } from '../../device.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkIsDevice } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** out[i] = value for i < n. */
export type FillKernel = (out: Handle, value: number, n: number) => void

/** A new tensor with `value` in every element. */
export function fill(device: Device, shape: Shape, value: number): Tensor {
  checkIsDevice('fill', device)
  const out = device.empty(shape)
  kernelsOf(device).fill(out.handle, value, out.size)
  return out
}

export const zeros = (device: Device, shape: Shape): Tensor => fill(device, shape, 0)
export const ones = (device: Device, shape: Shape): Tensor => fill(device, shape, 1)
