import { BackendError, type Device } from '@tau/tensor'
import type { CpuEngine } from '@tau/tensor/kernel'

/** The cpu engine of a device. Throws BackendError for another backend, because its kernels have no f64. */
export const cpuEngine = (op: string, device: Device): CpuEngine => {
  const engine = device?.engine
  if (engine?.backend !== 'cpu') {
    throw new BackendError(
      `${op}: the device must be a cpu device (f64 kernels), got ${engine?.backend}; open one with cpu() of @tau/tensor`,
    )
  }
  return engine
}
