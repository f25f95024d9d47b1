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
  /** How gpu.js runs its kernels. Default: the first of `webgpu`, `webgl2`, `webasm` and `cpu` that the
   *  runtime has. */
  mode?: GpuMode
  /** Which kernels run in mode `webgpu`. Default: `tuned`. */
  kernels?: KernelChoice
  /** Turns every fallback into an error. Without `mode`, everything but a real GPU is a fallback. */
  strict?: boolean
}

/** Opens the gpu.js backend. gpu.js is an optional peer dependency and is loaded here. In Node, mode `webgpu`
 *  also needs the package webgpu.
 *  If a device without `mode` does not run on a GPU, `info.fallbacks` says why.
 *  Throws BackendError if gpu.js is not installed, if the mode is unknown or this runtime lacks it, and with
 *  `strict` for a fallback. */
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

/** Opens the gpu backend on a real GPU, through WebGPU or else through WebGL 2. If it is WebGL 2,
 *  `info.fallbacks` says why.
 *  Throws BackendError with the reasons for both modes if there is no GPU. A driver in software does not
 *  count as a GPU. */
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

/** The reason why a mode is not used. Rethrows errors other than BackendError. */
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

/** Opens the first mode that can be opened. The reasons why earlier modes cannot are added to `fallbacks`. */
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
