import { Device } from '../../device.ts'
import type { ArrayOf, DType } from '../../dtype.ts'
import type { Handle } from '../engine.ts'
import { CpuEngine, type Launch } from './engine.ts'
import type { WasmModule } from './wasm-module.ts'

/** A cpu engine that only counts memory: its kernels do nothing, and its addresses have no memory behind
 *  them. */
class DryEngine extends CpuEngine {
  readonly #loaded = new Set<WasmModule>()

  constructor(threads: number) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
    const info = { backend: 'cpu', variant: 'dry', threads, fallbacks: [] } as const
    super(memory, Number.MAX_SAFE_INTEGER, undefined, 'plain', info)
  }

  override load(module: WasmModule): Promise<void> {
    return module.load('relaxed')
  }

  /** The first kernel of a module allocates the bytes that worker threads load the module from. */
  override kernel(module: WasmModule): Launch {
    if (!this.#loaded.has(module)) this.alloc((module.text('relaxed').length / 4) * 3)
    this.#loaded.add(module)
    return () => {}
  }

  override write(): void {}

  override async read<D extends DType>(_handle: Handle, dtype: D, length: number): Promise<ArrayOf[D]> {
    const arrays: { [K in DType]: () => ArrayOf[K] } = {
      f32: () => new Float32Array(length),
      i32: () => new Int32Array(length),
    }
    return arrays[dtype]()
  }

  override peek(): undefined {}

  override view(_handle: Handle, length: number): Float32Array {
    return new Float32Array(length)
  }

  protected override grow(): void {}
}

/** A device that only counts memory: its tensors have shapes but no contents. Use it to find out how much
 *  memory a program needs.
 *  Every operation allocates and frees as {@link cpu} does with that many threads, and computes nothing.
 *  Every value that is read is 0. Memory has no limit. `memory.peakBytes` is the memory that the program
 *  needs. */
export const dryCpu = (threads = 1): Promise<Device> => Device.open(new DryEngine(threads))
