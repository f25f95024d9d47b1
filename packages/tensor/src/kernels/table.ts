import type { KernelTable } from '../generated/table.ts'
import { kernelSet } from './kernel-set.ts'

/** The kernels of a device. */
export const kernelsOf = /* @__PURE__ */ kernelSet<KernelTable>('@tau/tensor', {
  cpu: async () => (await import('../generated/cpu.ts')).cpuKernels,
  gpu: async () => (await import('../generated/gpu.ts')).gpuKernels,
})
