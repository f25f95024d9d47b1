import type { DeviceInfo } from '../device.ts'
import type { ArrayOf, DType } from '../dtype.ts'
import type { CpuEngine } from './cpu/engine.ts'
import type { GpuEngine } from './gpu/engine.ts'

/** Names a buffer to its engine: a byte address on the cpu backend, a slot number on the gpu backend. */
export type Handle = number

/** The storage half of a backend. Everything enqueues in call order; only `read` waits. */
export interface Storage {
  readonly info: DeviceInfo
  /** Most bytes needed at once so far. */
  readonly peakBytes: number
  /** Throws BackendError when memory cannot be had, with the sizes. */
  alloc(bytes: number): Handle
  free(handle: Handle): void
  /** Copies `data` into the buffer; the array may be changed afterwards. */
  write(handle: Handle, data: ArrayLike<number>): void
  read<D extends DType>(handle: Handle, dtype: D, length: number): Promise<ArrayOf[D]>
  /** The values without a wait, to be used at once; undefined where they cannot be had so. */
  peek<D extends DType>(handle: Handle, dtype: D, length: number): ArrayOf[D] | undefined
  close(): Promise<void>
}

/** Memory of a kernel's own between its launches: `using partial = engine.scratch(…)`. May be disposed as soon as the kernels
 *  that use it are launched. */
export interface Scratch extends Disposable {
  readonly handle: Handle
}

/** The backends there are. A new one is added here, and the compiler lists the kernel tables to fill. */
export interface Engines {
  cpu: CpuEngine
  gpu: GpuEngine
}

export type BackendName = keyof Engines
export type Engine = Engines[BackendName]
