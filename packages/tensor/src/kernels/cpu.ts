import type { CpuEngine } from '../backends/cpu/engine.ts'
import { fillWasm } from './fill/wasm.ts'
import { softmaxGradWasm, softmaxWasm } from './softmax/wasm.ts'
import type { KernelTable } from './table.ts'

/** The WASM kernels of the cpu backend. */
export const cpuKernels = (engine: CpuEngine) =>
  ({
    fill: fillWasm(engine),
    softmax: softmaxWasm(engine),
    softmaxGrad: softmaxGradWasm(engine),
  }) satisfies KernelTable
