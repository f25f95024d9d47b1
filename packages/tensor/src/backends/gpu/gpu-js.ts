import type { GPU } from 'gpu.js'
import { BackendError } from '../../errors.ts'
import type { GpuArgument, GpuKernel } from './kernel.ts'

export type GpuJs = GPU
export type GpuJsModule = typeof import('gpu.js')

/** gpu.js ends a loop that is bounded by an argument after this many rounds, without an error. Its default is
 *  1000. */
const LOOP_MAX_ITERATIONS = 2_147_483_647

const ARGUMENT_TYPES = { buffer: 'Array', int: 'Integer', float: 'Float' } as const satisfies Record<
  GpuArgument,
  string
>

/** Loads gpu.js, an optional peer dependency. Throws BackendError when it is not installed. */
export async function loadGpuJs(): Promise<GpuJsModule> {
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

/** Settings of every kernel, for outputs with `rank` axes: any sizes, exact integers for indices, loops
 *  without a limit. */
export const kernelSettings = (kernel: GpuKernel, rank: number) =>
  ({
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
  }) as const
