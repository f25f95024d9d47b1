import { BackendError, cpu, type Device, gpu, isSoftwareAdapter } from '@tau/tensor'
import type { Backend } from './messages.ts'

/** Opens the device that was chosen; for `auto` WebGPU on a GPU, else WebGL 2 on one, else WebAssembly. `info` then says why.
 *  Throws BackendError for a backend that this browser does not have. */
export async function openDevice(backend: Backend): Promise<Device> {
  if (backend === 'wasm') return cpu()
  if (backend !== 'auto') return gpu({ mode: backend })
  const refused: string[] = []
  for (const mode of ['webgpu', 'webgl2'] as const) {
    const device = await tryGpu(mode, refused)
    if (device) return explained(device, 'this browser gives pages a GPU', refused)
  }
  return explained(await cpu(), 'there is no GPU for this page', refused)
}

async function tryGpu(mode: 'webgpu' | 'webgl2', refused: string[]): Promise<Device | undefined> {
  try {
    const device = await gpu({ mode })
    const { adapter = '' } = device.info
    if (!isSoftwareAdapter(adapter)) return device
    await device.close()
    refused.push(`not ${mode}: ${adapter} is a program on the processor, slower than WebAssembly`)
  } catch (cause) {
    if (!(cause instanceof BackendError)) throw cause
    refused.push(`not ${mode}: ${cause.message.replace(/^gpu: /, '')}`)
  }
  return undefined
}

function explained(device: Device, reason: string, refused: readonly string[]): Device {
  device.describe({ ...device.info, reason, fallbacks: [...refused, ...device.info.fallbacks] })
  return device
}
