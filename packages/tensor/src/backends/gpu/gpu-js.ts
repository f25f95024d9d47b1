import type { KernelVariable } from 'gpu.js'
import { BackendError } from '../../errors.ts'
import { type GpuArgument, type GpuKernel, type GpuOutput, sourceOf } from './kernel.ts'

/** Where gpu.js runs kernels: in WebAssembly it generates, or in plain JavaScript. */
export const GPU_MODES = ['webasm', 'cpu'] as const
export type GpuMode = (typeof GPU_MODES)[number]

/** Contents of a buffer. i32 tensors keep their integers; kernels see them as f32. */
export type Contents = Float32Array | Int32Array

/** A compiled kernel; the result is a new array, row by row. */
export type Compiled = (args: readonly (number | Contents)[], output: GpuOutput) => unknown

/** The part of gpu.js that the engine uses. */
export interface GpuJs {
  /** Compiles for outputs with `rank` axes: their sizes, and those of the buffers, may change from call to call. */
  compile(kernel: GpuKernel, rank: number): Compiled
  destroy(): Promise<void>
}

/** Loops bounded by an argument end in silence after this many rounds, and its default is 1000. */
const LOOP_MAX_ITERATIONS = 2_147_483_647
/** webasm compiles a module per set of sizes (0.2 ms) with memory of its own, and keeps 8 by default; a training step alternates
 *  between more. */
const WEBASM_MODULES = 16

const ARGUMENT_TYPES = { buffer: 'Array', int: 'Integer', float: 'Float' } as const satisfies Record<
  GpuArgument,
  string
>

async function load(): Promise<typeof import('gpu.js')> {
  try {
    const module = await import('gpu.js')
    // CommonJS: Node puts the exports under `default`, bundlers may not.
    return 'default' in module ? (module.default as typeof module) : module
  } catch (cause) {
    throw new BackendError(
      'gpu: the package gpu.js must be installed, got none; run `npm install gpu.js@2`',
      { cause },
    )
  }
}

/** Loads gpu.js and opens it in `mode`. Throws BackendError when it is not installed. */
export async function openGpuJs(mode: GpuMode): Promise<GpuJs> {
  const { GPU } = await load()
  const gpu = new GPU({ mode })
  return {
    compile(kernel, rank) {
      const settings = {
        output: Array.from({ length: rank }, () => 1),
        argumentTypes: Object.fromEntries(
          Object.entries(kernel.args).map(([name, kind]) => [name, ARGUMENT_TYPES[kind]]),
        ),
        precision: 'single',
        tactic: 'precision',
        loopMaxIterations: LOOP_MAX_ITERATIONS,
        dynamicOutput: true,
        dynamicArguments: true,
        pipeline: true,
        immutable: true,
      } as const
      const run = gpu.createKernel(sourceOf(kernel), settings)
      if (mode === 'webasm') Object.assign(run.kernel, { moduleCacheLimit: WEBASM_MODULES })
      return (args, output) => {
        run.setOutput([...output])
        const result = run(...(args as KernelVariable[]))
        if (run.kernel.fallbackReason)
          throw new BackendError(
            `internal: gpu.js must run ${kernel.name} in ${mode}, got its cpu fallback: ${run.kernel.fallbackReason}`,
          )
        return result
      }
    },
    destroy: () => gpu.destroy(),
  }
}
