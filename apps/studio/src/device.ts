import { auto, cpu, type Device, gpu } from '@tau/tensor'
import type { Backend } from './messages.ts'

/** Opens the chosen device. `auto` decides by `flops`, the operations of a training step. Throws BackendError
 *  if this browser lacks the backend. */
export function openDevice(backend: Backend, flops: number): Promise<Device> {
  if (backend === 'wasm') return cpu()
  return backend === 'auto' ? auto({ flops }) : gpu({ mode: backend })
}
