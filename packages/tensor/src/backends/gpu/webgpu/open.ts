import { BackendError } from '../../../errors.ts'
import type { GpuJsModule } from '../gpu-js.ts'
import { textOf } from './commands.ts'

/** gpu.js's adapter and device. Everything in the process shares this one device. */
export interface WebGpuContext {
  readonly adapter: GPUAdapter
  readonly device: GPUDevice
}

/** The part of gpu.js 2.24 that its types lack. */
interface WithContext {
  readonly WebGPUContext: { acquire(): Promise<WebGpuContext> }
}

const hasContext = (module: object): module is WithContext => 'WebGPUContext' in module

interface DawnModule {
  create(options: readonly string[]): GPU
}

const SOFTWARE =
  'On a machine without a GPU, Debian’s packages chromium and libvulkan1 bring a driver in software: set VK_ADD_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json'

/** The device on which gpu.js runs its kernels, so that we can share buffers with it. In Node, WebGPU comes
 *  from the package webgpu (Dawn), an optional peer dependency. Throws BackendError with what is missing and
 *  how to get it. */
export async function openWebGpu(module: GpuJsModule): Promise<WebGpuContext> {
  if (!hasContext(module))
    throw new BackendError('gpu: gpu.js must be 2.24 or a later 2, got one without WebGPU; update it')
  if (!hasWebGpu()) await bringWebGpu()
  try {
    return await module.WebGPUContext.acquire()
  } catch (cause) {
    const adapter = await navigator.gpu.requestAdapter().catch(() => null)
    throw new BackendError(
      adapter
        ? `gpu: the adapter must give a device, got ${textOf(cause)}`
        : `gpu: WebGPU must have an adapter, got none; install a driver (in Node one for Vulkan, Metal or Direct3D 12), or use mode webasm. ${SOFTWARE}`,
      { cause },
    )
  }
}

/** Whether the API exists. There may still be no adapter. */
const hasWebGpu = (): boolean => typeof navigator === 'object' && Boolean(navigator.gpu)

/** Sets `navigator.gpu` to Dawn's WebGPU, as in browsers. */
async function bringWebGpu(): Promise<void> {
  if (typeof process !== 'object' || !process.versions?.node)
    throw new BackendError('gpu: mode webgpu needs a browser with WebGPU, got none; use mode webgl2')
  const name = 'webgpu' // a variable, so that bundlers for browsers do not resolve it
  let dawn: DawnModule
  try {
    dawn = await import(/* webpackIgnore: true */ /* @vite-ignore */ name)
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    throw new BackendError(
      isMissing
        ? 'gpu: mode webgpu needs the package webgpu in Node, got none; run `npm install webgpu`'
        : `gpu: the package webgpu must load on this system, got ${textOf(cause)}; use mode webasm`,
      { cause },
    )
  }
  if (typeof navigator !== 'object')
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
  Object.defineProperty(navigator, 'gpu', { value: dawn.create([]), configurable: true })
}

/** The adapter's own name: `SwiftShader Device (Subzero), swiftshader`. */
export function adapterText({ info }: GPUAdapter): string {
  const { vendor, architecture, device, description } = info
  const parts = [description || device, [vendor, architecture].filter((text) => text !== '').join(' ')]
  return parts.filter((text) => text !== '').join(', ') || 'an adapter without a name'
}
