import { BackendError } from '../../errors.ts'
import { notLoaded, registerKernels } from '../../kernels/registry.ts'

/** The builds of a package's WebAssembly, as `tau-kernel build` makes them. Each is a module that exports its
 *  bytes in base64. */
export interface WasmBuilds {
  plain(): Promise<WasmText>
  relaxed(): Promise<WasmText>
  /** The kernels that have a form for 256-bit vectors, with relaxed SIMD and the same bits. */
  wide?(): Promise<WasmText>
}

export interface WasmText {
  readonly wasm: string
}

export type WasmBuild = keyof WasmBuilds

/** Names of the builds in `device.info` and in profiles. */
export const BUILD_NAMES: Readonly<Record<WasmBuild, string>> = {
  plain: 'simd',
  relaxed: 'relaxed-simd',
  wide: 'wide-simd',
}

export type WasmFunction = (...args: number[]) => unknown

/** The WebAssembly of a package. When a device of the cpu backend is opened, it loads the builds that it
 *  runs. */
export class WasmModule {
  readonly #name: string
  readonly #builds: WasmBuilds
  readonly #texts: Partial<Record<WasmBuild, string>> = {}

  constructor(name: string, builds: WasmBuilds) {
    this.#name = name
    this.#builds = builds
  }

  has(build: WasmBuild): boolean {
    return this.#builds[build] !== undefined
  }

  async load(build: WasmBuild): Promise<void> {
    this.#texts[build] ??= (await this.#builds[build]?.())?.wasm
  }

  /** The bytes of a build in base64. Throws BackendError if the build is not loaded. */
  text(build: WasmBuild): string {
    const text = this.#texts[build]
    if (text === undefined) throw new BackendError(notLoaded(this.#name, 'cpu'))
    return text
  }
}

/** The WebAssembly of the package `name`, for {@link CpuEngine.kernel}:
 *  ```ts
 *  export const myWasm = wasmModule('my-package', {
 *    plain: () => import('./generated/plain.ts'),
 *    relaxed: () => import('./generated/relaxed.ts'),
 *  })
 *  ``` */
export function wasmModule(name: string, builds: WasmBuilds): WasmModule {
  const module = new WasmModule(name, builds)
  registerKernels(async (engine) => {
    if (engine.backend === 'cpu') await engine.load(module)
  })
  return module
}

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text)
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
}
