import { kernelSet } from '@tau/tensor/kernel'
import type { KernelTable } from '../generated/table.ts'

/** This package's kernels for a device. */
export const kernelsOf = /* @__PURE__ */ kernelSet<KernelTable>('@tau/attention', {
  cpu: async () => (await import('../generated/cpu.ts')).cpuKernels,
  gpu: async () => (await import('../generated/gpu.ts')).gpuKernels,
})
