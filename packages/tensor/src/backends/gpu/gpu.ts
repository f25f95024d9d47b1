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
  return deviceOf(runtime, fallbacks)
}

/** Opens it on a GPU, by WebGPU or else by WebGL 2; `info.fallbacks` then says why not by the first. Throws BackendError that says of both
 *  why there is none: software counts as none. */
export async function gpuInHardware(kernels?: KernelChoice): Promise<Device> {
  const refused: string[] = []
  for (const mode of ['webgpu', 'webgl2'] as const)
    try {
      const runtime = await openRuntime(mode, kernels)
      if (!runtime.isSoftware) return await deviceOf(runtime, refused)
      await runtime.destroy()
      refused.push(`not ${mode}: it runs in software (${runtime.adapter})`)
    } catch (cause) {
      refused.push(refusal(mode, cause))
    }
  throw new BackendError(`gpu: there must be a GPU, got none (${refused.join('; ')})`)
}

function deviceOf(runtime: GpuRuntime, fallbacks: readonly string[]): Promise<Device> {
  const { mode, adapter } = runtime
  return Device.open(
    new GpuEngine(runtime, {
      backend: 'gpu',
      variant: mode,
      threads: 1,
      ...(adapter && { adapter }),
      fallbacks,
    }),
  )
}

/** Why a mode is not used; throws what is no BackendError. */
function refusal(mode: GpuMode, cause: unknown): string {
  if (!(cause instanceof BackendError)) throw cause
  return `not ${mode}: ${cause.message.replace(/^gpu: /, '')}`
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
      fallbacks.push(refusal(mode, cause))
      last = cause
    }
  throw last
}
