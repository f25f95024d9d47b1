import { kernelSet } from '@tau/tensor/kernel'
import type { KernelTable } from '../generated/table.ts'

/** The kernels of the device a tensor lives on. */
export const kernelsOf = /* @__PURE__ */ kernelSet<KernelTable>('@tau/attention', {
  cpu: async () => (await import('../generated/cpu.ts')).cpuKernels,
  gpu: async () => (await import('../generated/gpu.ts')).gpuKernels,
})
