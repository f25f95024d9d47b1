import { type Handle, kernelSet, wasmModule } from '@tau/tensor/kernel'

/** The kernels of this package; each backend makes such a table. */
export interface Table {
  /** out[i] = x[i]³ of `length` elements. */
  cube(x: Handle, out: Handle, length: number): void
}

export const kernelsOf = kernelSet<Table>('cube', {
  cpu: async () => (await import('./cpu.js')).cpuKernels,
  gpu: async () => (await import('./gpu.js')).gpuKernels,
})

export const cubeWasm = wasmModule('cube', {
  plain: () => import('./generated/plain.js'),
  relaxed: () => import('./generated/relaxed.js'),
})
