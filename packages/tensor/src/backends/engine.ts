import type { DeviceInfo } from '../device.ts'
import type { ArrayOf, DType } from '../dtype.ts'
import type { CpuEngine } from './cpu/engine.ts'
import type { GpuEngine } from './gpu/engine.ts'

/** A buffer of an engine: a byte address on the cpu backend, a slot number on the gpu backend. */
export type Handle = number

/** The part of a backend that holds buffers. All calls are enqueued in their order; only `read` waits. */
export interface Storage {
  readonly info: DeviceInfo
  /** The most bytes that were in use at the same time so far. */
  readonly peakBytes: number
  /** Throws BackendError with the sizes if there is not enough memory. */
  alloc(bytes: number): Handle
  free(handle: Handle): void
  /** Copies `data` into the buffer. The caller may change the array afterwards. */
  write(handle: Handle, data: ArrayLike<number>): void
  read<D extends DType>(handle: Handle, dtype: D, length: number): Promise<ArrayOf[D]>
  /** The values without waiting; use them at once. Undefined if this backend needs to wait for them. */
  peek<D extends DType>(handle: Handle, dtype: D, length: number): ArrayOf[D] | undefined
  close(): Promise<void>
}

/** Memory that a kernel needs between its launches: `using partial = engine.scratch(…)`. It may be disposed
 *  as soon as the kernels that use it are launched. */
export interface Scratch extends Disposable {
  readonly handle: Handle
}

/** The backends. A new backend is added here; then the compiler lists the kernel tables to fill. */
export interface Engines {
  cpu: CpuEngine
  gpu: GpuEngine
}

export type BackendName = keyof Engines
export type Engine = Engines[BackendName]
