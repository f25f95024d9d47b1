import { Device } from '../../device.ts'
import { BackendError } from '../../errors.ts'
import { GpuEngine } from './engine.ts'
import { GPU_MODES, type GpuMode, openGpuJs } from './gpu-js.ts'

export interface GpuOptions {
  /** How gpu.js runs its kernels; default: the first of `webasm` and `cpu` that the runtime has. */
  mode?: GpuMode
  /** Turn every fallback into an error: with no `mode` given, anything but a real GPU. */
  strict?: boolean
}

/** Opens the gpu.js backend. gpu.js is an optional peer dependency, loaded here. No mode runs on a GPU yet: left to itself
 *  the device says so in `info.fallbacks`. Throws BackendError when gpu.js is not installed, for a mode that is unknown or
 *  missing in this runtime, and with `strict` for a fallback. */
export async function gpu(options: GpuOptions = {}): Promise<Device> {
  const { mode: wanted, strict = false } = options
  if (wanted !== undefined && !GPU_MODES.includes(wanted))
    throw new BackendError(`gpu: mode must be one of ${GPU_MODES.join(', ')}, got ${wanted}`)
  const hasWasm = typeof WebAssembly === 'object'
  if (wanted === 'webasm' && !hasWasm)
    throw new BackendError('gpu: mode webasm needs a runtime with WebAssembly, got none; use mode cpu')
  const mode = wanted ?? (hasWasm ? 'webasm' : 'cpu')
  const fallbacks = wanted ? [] : [`gpu.js mode ${mode}: kernels do not run on a GPU yet`]
  if (strict && fallbacks.length > 0)
    throw new BackendError(`gpu: strict allows no fallback, got ${fallbacks.join('; ')}`)
  return new Device(
    new GpuEngine(await openGpuJs(mode), { backend: 'gpu', variant: mode, threads: 1, fallbacks }),
  )
}
