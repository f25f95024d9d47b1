import type { DeviceInfo } from '../../device.ts'
import type { ArrayOf, DType } from '../../dtype.ts'
import { BackendError } from '../../errors.ts'
import type { Handle, Scratch, Storage } from '../engine.ts'
import { compileWide } from './compile-wide.ts'
import type { GemmProgram } from './gemm.ts'
import { Heap, waysOut } from './heap.ts'
import {
  ARGS_ADDRESS,
  CONTROL_ADDRESS,
  ERROR_ADDRESS,
  heapStart,
  MAX_ARGS,
  PAGE_BYTES,
  WORKSPACE_ADDRESS,
  Word,
} from './layout.ts'
import type { Pool } from './pool.ts'
import type { WasmMemory } from './wasm-memory.ts'
import {
  BUILD_NAMES,
  decodeBase64,
  type WasmBuild,
  type WasmFunction,
  type WasmModule,
} from './wasm-module.ts'
import type { Work } from './work.ts'

/** Runs items [0, count) of a kernel in tiles of `grain` items. The exported function is called as
 *  `f(...args, begin, end)` once for each tile, on any thread.
 *  Throws BackendError for a wrong number of arguments.
 *  The result must have the same bits for any number of threads. This holds because each output element is
 *  computed the same way in whatever tile it lies. A kernel whose bits depend on the tiles must choose
 *  `grain` without looking at the number of threads.
 *  `work` is called only while a profile is taken. */
export type Launch = (args: readonly number[], count: number, grain: number, work: () => Work) => void

/** A finished launch. */
export interface DoneLaunch {
  readonly kernel: string
  /** What ran it: a build of our kernels, named as in `device.info.variant`, or a library. */
  readonly build: string
  /** By `performance.now()`. */
  readonly startMs: number
  readonly ms: number
  /** Number of tiles. */
  readonly tiles: number
  readonly work: Work
}

/** The last two parameters of every kernel: the begin and end of its tile. */
const RANGE_ARGS = 2

interface LoadedModule {
  readonly id: number
  readonly build: string
  readonly names: readonly string[]
  readonly functions: readonly WasmFunction[]
  readonly bytes: number
  readonly length: number
}

/** The cpu backend: tensors in one shared WebAssembly memory, kernels from WASM modules, tiles over a pool of
 *  threads. */
export class CpuEngine implements Storage {
  readonly backend = 'cpu'
  readonly info: DeviceInfo
  /** The library that multiplies matrices, if there is one. */
  readonly gemm: GemmProgram | undefined
  /** Called after every launch while {@link profile} runs. */
  observer: ((launch: DoneLaunch) => void) | undefined
  readonly #memory: WasmMemory
  readonly #pool: Pool | undefined
  readonly #heap: Heap
  readonly #build: WasmBuild
  readonly #modules = new Map<string, LoadedModule>()
  readonly #control: Int32Array
  readonly #args: Float64Array
  #closed = false

  constructor(
    memory: WasmMemory,
    maximumBytes: number,
    pool: Pool | undefined,
    build: WasmBuild,
    info: DeviceInfo,
    gemm?: GemmProgram,
  ) {
    this.info = info
    this.gemm = gemm
    this.#memory = memory
    this.#pool = pool
    this.#build = build
    this.#control = new Int32Array(memory.buffer, CONTROL_ADDRESS, 32)
    this.#args = new Float64Array(memory.buffer, ARGS_ADDRESS, MAX_ARGS)
    this.#heap = new Heap(heapStart(info.threads), maximumBytes, (bytes) => this.grow(bytes))
  }

  /** Loads those builds of a package's module that this device runs. */
  async load(module: WasmModule): Promise<void> {
    await Promise.all(this.#builds(module).map((build) => module.load(build)))
  }

  /** The launcher of one exported function of a package's module. The module is compiled on first use. Throws
   *  BackendError if the module is not loaded. */
  kernel(module: WasmModule, name: string): Launch {
    return this.#launcher(this.#loadedModule(module, name), name)
  }

  /** The launcher of one function of a program in JavaScript, for libraries outside WebAssembly. `source` is
   *  the body of `(memory: WebAssembly.Memory) => Record<string, WasmFunction>`, which every thread runs
   *  once. Profiles show `build` as the build. */
  script(source: string, name: string, build: string): Launch {
    return this.#launcher(this.#loadScript(source, build), name)
  }

  #launcher(module: LoadedModule, name: string): Launch {
    const index = module.names.indexOf(name)
    if (index < 0)
      throw new BackendError(
        `internal: kernel must be exported by its module, got "${name}"; rebuild with \`npm run wasm\``,
      )
    return (args, count, grain, work) => {
      const { observer } = this
      const startMs = observer ? performance.now() : 0
      this.#launch(module, index, args, count, grain)
      if (!observer || count <= 0) return
      const ms = performance.now() - startMs
      const { build, names } = module
      observer({ kernel: names[index], build, startMs, ms, tiles: Math.ceil(count / grain), work: work() })
    }
  }

  get peakBytes(): number {
    return this.#heap.end
  }

  alloc(bytes: number): Handle {
    this.#checkOpen('alloc')
    return this.#heap.alloc(bytes)
  }

  free(handle: Handle): void {
    if (!this.#closed) this.#heap.free(handle)
  }

  /** `bytes` bytes of memory for the intermediate results of a kernel. */
  scratch(bytes: number): Scratch {
    const handle = this.alloc(bytes)
    return { handle, [Symbol.dispose]: () => this.free(handle) }
  }

  write(handle: Handle, data: ArrayLike<number>): void {
    this.#checkOpen('write')
    const target =
      data instanceof Int32Array
        ? new Int32Array(this.#memory.buffer, handle, data.length)
        : new Float32Array(this.#memory.buffer, handle, data.length)
    target.set(data)
  }

  async read<D extends DType>(handle: Handle, dtype: D, length: number): Promise<ArrayOf[D]> {
    this.#checkOpen('read')
    const copies: { [K in DType]: () => ArrayOf[K] } = {
      f32: () => new Float32Array(this.#memory.buffer, handle, length).slice(),
      i32: () => new Int32Array(this.#memory.buffer, handle, length).slice(),
    }
    return copies[dtype]()
  }

  /** A view of the buffer itself. The values are complete, because kernels are done when their launch
   *  returns. Undefined if the device is closed. */
  peek<D extends DType>(handle: Handle, dtype: D, length: number): ArrayOf[D] | undefined {
    if (this.#closed) return undefined
    const views: { [K in DType]: () => ArrayOf[K] } = {
      f32: () => new Float32Array(this.#memory.buffer, handle, length),
      i32: () => new Int32Array(this.#memory.buffer, handle, length),
    }
    return views[dtype]()
  }

  /** A view of a buffer of f32, for checks that cannot wait. The values are complete, because kernels are
   *  done when their launch returns. Use it at once: after the memory grows the view is detached, and a freed
   *  buffer may be given to another tensor. */
  view(handle: Handle, length: number): Float32Array {
    this.#checkOpen('view')
    return new Float32Array(this.#memory.buffer, handle, length)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pool?.close()
  }

  #launch(module: LoadedModule, index: number, args: readonly number[], count: number, grain: number): void {
    this.#checkOpen('kernel')
    if (count <= 0) return
    const kernel = module.functions[index]
    if (args.length + RANGE_ARGS !== kernel.length)
      throw new BackendError(
        `internal: kernel ${module.names[index]} takes ${kernel.length - RANGE_ARGS} arguments, got ${args.length}`,
      )
    const tiles = Math.ceil(count / grain)
    const run = (tile: number) => kernel(...args, tile * grain, Math.min((tile + 1) * grain, count))
    try {
      if (tiles > 1 && this.#pool) this.#share(this.#pool, module, index, args, count, grain, run)
      else for (let tile = 0; tile < tiles; tile++) run(tile)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new BackendError(`internal: kernel ${module.names[index]} failed: ${reason}`, { cause })
    }
  }

  /** Describes the job in the control block and takes tiles until none is left. If a tile fails on any
   *  thread, the other tiles are still done before this throws. So the next job finds idle threads. */
  #share(
    pool: Pool,
    module: LoadedModule,
    index: number,
    args: readonly number[],
    count: number,
    grain: number,
    run: (tile: number) => void,
  ): void {
    const control = this.#control
    control[Word.error] = 0
    control[Word.module] = module.id
    control[Word.moduleBytes] = module.bytes
    control[Word.moduleLength] = module.length
    control[Word.kernel] = index
    control[Word.argCount] = args.length
    control[Word.count] = count
    control[Word.grain] = grain
    this.#args.set(args)
    pool.run(Math.ceil(count / grain), run)
    const length = control[Word.error]
    if (length === 0) return
    const text = new Uint8Array(this.#memory.buffer, ERROR_ADDRESS, length).slice()
    throw new BackendError(`${new TextDecoder().decode(text)} (in a worker thread)`)
  }

  /** The builds of a module that this device runs. A kernel that the first build lacks is taken from the
   *  second. */
  #builds(module: WasmModule): readonly WasmBuild[] {
    if (this.#build !== 'wide') return [this.#build]
    return module.has('wide') ? ['wide', 'relaxed'] : ['relaxed']
  }

  #loadedModule(module: WasmModule, name: string): LoadedModule {
    const [first, ...others] = this.#builds(module)
    const found = this.#instantiate(module.text(first), first)
    if (found.names.includes(name) || others.length === 0) return found
    return this.#instantiate(module.text(others[0]), others[0])
  }

  #instantiate(code: string, build: WasmBuild): LoadedModule {
    const loaded = this.#modules.get(code)
    if (loaded) return loaded
    this.#checkOpen('kernel')
    const bytes = decodeBase64(code)
    const compiled = build === 'wide' ? compileWide(bytes) : new WebAssembly.Module(bytes)
    const abort = (): never => {
      throw new BackendError('internal: a kernel aborted')
    }
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: this.#memory, abort } })
    const names = WebAssembly.Module.exports(compiled).map(({ name }) => name)
    const functions = names.map((name) => exports[name] as WasmFunction)
    functions[names.indexOf('setWorkspace')](WORKSPACE_ADDRESS)
    return this.#keep(code, { build: BUILD_NAMES[build], names, functions }, bytes)
  }

  #loadScript(source: string, build: string): LoadedModule {
    const loaded = this.#modules.get(source)
    if (loaded) return loaded
    this.#checkOpen('kernel')
    const functions = new Function('memory', source)(this.#memory) as Record<string, WasmFunction>
    const exported = { build, names: Object.keys(functions), functions: Object.values(functions) }
    return this.#keep(source, exported, new TextEncoder().encode(source))
  }

  /** Copies a module's bytes into shared memory, where the workers load it from. */
  #keep(
    code: string,
    exported: Pick<LoadedModule, 'build' | 'names' | 'functions'>,
    bytes: Uint8Array,
  ): LoadedModule {
    const address = this.#heap.alloc(bytes.length)
    new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes)
    const module = { ...exported, id: this.#modules.size, bytes: address, length: bytes.length }
    this.#modules.set(code, module)
    return module
  }

  /** Makes [0, bytes) of the memory usable. */
  protected grow(bytes: number): void {
    const missing = Math.ceil((bytes - this.#memory.buffer.byteLength) / PAGE_BYTES)
    if (missing <= 0) return
    const ahead = Math.max(missing, 256) // 16 MiB at a time, because growing is a system call
    for (const pages of [ahead, missing])
      try {
        this.#memory.grow(pages)
        return
      } catch {
        // the smaller step may still fit; if not, the error below says so
      }
    throw new BackendError(
      `alloc: the runtime must provide ${bytes} bytes of WebAssembly memory, got ${this.#memory.buffer.byteLength}; ${waysOut(this.#heap.blocks)}`,
    )
  }

  #checkOpen(op: string): void {
    if (this.#closed) throw new BackendError(`${op}: the device must be open, got a closed one`)
  }
}
