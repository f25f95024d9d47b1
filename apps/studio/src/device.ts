import { auto, cpu, type Device, gpu } from '@tau/tensor'
import type { Backend } from './messages.ts'

/** Opens the device that was chosen; `auto` decides by the operations of a training step. Throws BackendError for a backend that this browser
 *  does not have. */
export function openDevice(backend: Backend, flops: number): Promise<Device> {
  if (backend === 'wasm') return cpu()
  return backend === 'auto' ? auto({ flops }) : gpu({ mode: backend })
}
