import { Device } from '../../device.ts'
import { BackendError } from '../../errors.ts'
import { GpuEngine } from './engine.ts'
import { loadGpuJs } from './gpu-js.ts'
import { HostRuntime } from './host-runtime.ts'
import { GPU_MODES, type GpuMode, type GpuRuntime, type KernelChoice } from './runtime.ts'
import { WebGlRuntime } from './webgl/runtime.ts'
import { openWebGpu } from './webgpu/open.ts'
import { WebGpuRuntime } from './webgpu/runtime.ts'

export interface GpuOptions {
  /** How gpu.js runs its kernels; default: the first of `webgpu`, `webgl2`, `webasm` and `cpu` that the runtime has. */
  mode?: GpuMode
  /** In mode `webgpu`; default: tuned. */
  kernels?: KernelChoice
  /** Turn every fallback into an error: with no `mode` given, anything but a real GPU. */
  strict?: boolean
}

/** Opens the gpu.js backend. gpu.js is an optional peer dependency, loaded here; so is webgpu, which mode `webgpu` needs in Node.
 *  Left to itself the device says in `info.fallbacks` why it is not on a GPU. Throws BackendError when gpu.js is not installed, for
 *  a mode that is unknown or missing in this runtime, and with `strict` for a fallback. */
export async function gpu(options: GpuOptions = {}): Promise<Device> {
  const { mode: wanted, kernels, strict = false } = options
  if (wanted !== undefined && !GPU_MODES.includes(wanted))
    throw new BackendError(`gpu: mode must be one of ${GPU_MODES.join(', ')}, got ${wanted}`)
  const fallbacks: string[] = []
  const runtime = wanted ? await openRuntime(wanted, kernels) : await openFirst(kernels, fallbacks)
  if (!wanted && runtime.isSoftware)
    fallbacks.push(`no GPU: ${runtime.mode} runs in software (${runtime.adapter})`)
  if (strict && fallbacks.length > 0) {
    await runtime.destroy()
    throw new BackendError(`gpu: strict allows no fallback, got ${fallbacks.join('; ')}`)
  }
  const { mode, adapter } = runtime
  return new Device(
    new GpuEngine(runtime, {
      backend: 'gpu',
      variant: mode,
      threads: 1,
      ...(adapter && { adapter }),
      fallbacks,
    }),
  )
}

/** Opens gpu.js in one mode. */
export async function openRuntime(mode: GpuMode, kernels: KernelChoice = 'tuned'): Promise<GpuRuntime> {
  const module = await loadGpuJs()
  if (mode === 'webgpu') {
    const context = await openWebGpu(module)
    return new WebGpuRuntime(new module.GPU({ mode }), context, kernels)
  }
  if (mode === 'webgl2') return new WebGlRuntime(module)
  if (mode === 'webasm' && typeof WebAssembly !== 'object')
    throw new BackendError('gpu: mode webasm needs a runtime with WebAssembly, got none; use mode cpu')
  return new HostRuntime(mode, new module.GPU({ mode }))
}

/** The first mode that opens. Why those before it did not goes into `fallbacks`. */
async function openFirst(kernels: KernelChoice | undefined, fallbacks: string[]): Promise<GpuRuntime> {
  let last: unknown
  for (const mode of GPU_MODES)
    try {
      return await openRuntime(mode, kernels)
    } catch (cause) {
      if (!(cause instanceof BackendError)) throw cause
      fallbacks.push(`not ${mode}: ${cause.message.replace(/^gpu: /, '')}`)
      last = cause
    }
  throw last
}
