import type { KernelVariable } from 'gpu.js'
import { BackendError } from '../../errors.ts'
import { type GpuJs, kernelSettings } from './gpu-js.ts'
import { type GpuKernel, MAX_ELEMENTS, sourceOf } from './kernel.ts'
import type { Compiled, Contents, GpuRuntime } from './runtime.ts'

/** Number of modules that a webasm kernel keeps. gpu.js compiles one module per set of sizes (0.2 ms), each
 *  with its own memory, and keeps 8 by default. A training step alternates between more sets. */
const WEBASM_MODULES = 16

/** An array in this process. */
class HostContents implements Contents {
  readonly values: Float32Array | Int32Array

  constructor(values: Float32Array | Int32Array) {
    this.values = values
  }

  get length(): number {
    return this.values.length
  }
}

/** gpu.js without a GPU: a kernel runs on arrays as soon as it is called. */
export class HostRuntime implements GpuRuntime {
  readonly mode: 'webasm' | 'cpu'
  readonly maxBytes = MAX_ELEMENTS * 4
  readonly limit = 'gpu.js counts elements in 32 bits'
  readonly #gpu: GpuJs

  constructor(mode: 'webasm' | 'cpu', gpu: GpuJs) {
    this.mode = mode
    this.#gpu = gpu
  }

  upload(values: Float32Array | Int32Array): Contents {
    return new HostContents(values)
  }

  /** gpu.js does not accept empty arrays, so an empty buffer is one zero. */
  zeros(length: number): Contents {
    return new HostContents(new Float32Array(Math.max(1, length)))
  }

  async read(contents: Contents, length: number): Promise<Float32Array | Int32Array> {
    return valuesOf(contents).slice(0, length)
  }

  release(): void {}

  compile(kernel: GpuKernel, rank: number): Compiled {
    const { mode } = this
    const run = this.#gpu.createKernel(sourceOf(kernel), kernelSettings(kernel, rank))
    if (mode === 'webasm') Object.assign(run.kernel, { moduleCacheLimit: WEBASM_MODULES })
    return (args, output) => {
      run.setOutput([...output])
      const values = args.map((arg) => (typeof arg === 'number' ? arg : valuesOf(arg)))
      const result: unknown = run(...(values as KernelVariable[]))
      if (run.kernel.fallbackReason)
        throw new BackendError(
          `internal: gpu.js must run ${kernel.name} in ${mode}, got its cpu fallback: ${run.kernel.fallbackReason}`,
        )
      return new HostContents(flatten(result))
    }
  }

  destroy(): Promise<void> {
    return this.#gpu.destroy()
  }
}

function valuesOf(contents: Contents): Float32Array | Int32Array {
  if (contents instanceof HostContents) return contents.values
  throw new BackendError('internal: contents must be those of an array, got those of another mode')
}

/** For outputs of more than one axis, gpu.js returns rows, or planes of rows. In mode webasm the rows lie
 *  next to each other in one array. */
function flatten(result: unknown): Float32Array {
  const rows = rowsOf(result)
  const [first] = rows
  if (rows.length === 1) return first
  const last = rows[rows.length - 1]
  const length = rows.reduce((sum, row) => sum + row.length, 0)
  const isContiguous =
    last.buffer === first.buffer &&
    last.byteOffset - first.byteOffset === (rows.length - 1) * first.byteLength
  if (isContiguous) return new Float32Array(first.buffer, first.byteOffset, length)
  const flat = new Float32Array(length)
  let at = 0
  for (const row of rows) {
    flat.set(row, at)
    at += row.length
  }
  return flat
}

function rowsOf(result: unknown): Float32Array[] {
  if (result instanceof Float32Array) return [result]
  if (Array.isArray(result)) return result.flatMap(rowsOf)
  throw new BackendError(`internal: gpu.js must return arrays of f32, got ${typeof result}`)
}
