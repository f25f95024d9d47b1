import type { DeviceInfo } from '../../device.ts'
import { type ArrayOf, type DType, ELEMENT_BYTES } from '../../dtype.ts'
import { BackendError, shapeText } from '../../errors.ts'
import type { Handle, Scratch, Storage } from '../engine.ts'
import type { Compiled, Contents, GpuJs } from './gpu-js.ts'
import type { GpuKernel, GpuLaunch, GpuOutput } from './kernel.ts'
import { Queue } from './queue.ts'

/** Indices are 32-bit integers in gpu.js. */
const MAX_ELEMENTS = 2 ** 31 - 1

/** A buffer. Queued tasks hold the slot itself, so that a handle may be freed while they wait. */
interface Slot {
  readonly length: number
  /** Absent until something is written: reads as zeros. */
  contents: Contents | undefined
  /** Why the kernel that should have filled it did not; passed on to all that is computed from it. */
  failure: BackendError | undefined
}

/** The gpu backend: kernels by gpu.js over a table of buffers. Every call enqueues and returns; the queue runs calls in
 *  order, one at a time, whether gpu.js answers at once or later. When a kernel fails, the next read throws its error, and so
 *  does every read of what depends on it.
 *
 *  A package defines its kernels as text and launches them on handles:
 *  ```ts
 *  const DOUBLE: GpuKernel = {
 *    name: 'double',
 *    args: { x: 'buffer', factor: 'float', cols: 'int' },
 *    body: 'return factor * x[this.thread.y * cols + this.thread.x]',
 *  }
 *  export function doubleGpu(engine: GpuEngine): DoubleKernel {
 *    const launch = engine.kernel(DOUBLE)
 *    return (x, out, rows, cols) => launch([x, 2, cols], [cols, rows], out)
 *  }
 *  ```
 *  {@link GpuKernel} lists what the text may hold. A kernel has one output: one with several outputs is several kernels.
 *  An in-place kernel has its target among its arguments. For memory in between: `using partial = engine.scratch(length)`. */
export class GpuEngine implements Storage {
  readonly backend = 'gpu'
  readonly info: DeviceInfo
  readonly #gpu: GpuJs
  readonly #queue = new Queue()
  readonly #slots = new Map<Handle, Slot>()
  readonly #compiled = new Map<GpuKernel, Compiled[]>()
  #lastHandle = 0
  #bytes = 0
  #peakBytes = 0
  /** The first failure that no read has thrown yet. */
  #failure: BackendError | undefined
  #closing: Promise<void> | undefined

  constructor(gpu: GpuJs, info: DeviceInfo) {
    this.#gpu = gpu
    this.info = info
  }

  get peakBytes(): number {
    return this.#peakBytes
  }

  /** Buffers that were not freed, scratch memory included. */
  get liveSlots(): number {
    return this.#slots.size
  }

  /** The launcher of a kernel. It is compiled at its first run, once for all sizes. */
  kernel(kernel: GpuKernel): GpuLaunch {
    const kinds = Object.values(kernel.args)
    return (args, output, target) => {
      this.#checkOpen(kernel.name)
      if (args.length !== kinds.length)
        throw new BackendError(`internal: ${kernel.name} takes ${kinds.length} arguments, got ${args.length}`)
      const values = args.map((arg, i) => {
        if (kinds[i] === 'buffer') return this.#slot(kernel.name, arg)
        if (kinds[i] === 'float') return Math.fround(arg) // the same number in every mode
        if (Number.isInteger(arg) && Math.abs(arg) <= MAX_ELEMENTS) return arg
        throw new BackendError(
          `internal: ${kernel.name}: ${Object.keys(kernel.args)[i]} must be a whole number below 2^31, got ${arg}`,
        )
      })
      const slot = this.#slot(kernel.name, target)
      const count = output.reduce((product, n) => product * n, 1)
      if (count < slot.length || count - slot.length >= Math.max(1, output[0]))
        throw new BackendError(
          `internal: ${kernel.name}: output must hold the target's ${slot.length} elements, got ${shapeText(output)}`,
        )
      if (slot.length > 0) this.#queue.push(() => this.#run(kernel, values, output, slot))
    }
  }

  /** Memory for `length` elements of a kernel's intermediate results. */
  scratch(length: number): Scratch {
    const handle = this.alloc(length * ELEMENT_BYTES)
    return { handle, [Symbol.dispose]: () => this.free(handle) }
  }

  /** Elements in a buffer: for kernels that change a part of it, and so must write the rest again. */
  lengthOf(handle: Handle): number {
    return this.#slot('lengthOf', handle).length
  }

  alloc(bytes: number): Handle {
    this.#checkOpen('alloc')
    const length = bytes / ELEMENT_BYTES
    if (length > MAX_ELEMENTS)
      throw new BackendError(
        `alloc: a gpu buffer must hold at most ${MAX_ELEMENTS} elements, got ${length}; use a smaller batch, length or model`,
      )
    const handle = ++this.#lastHandle
    this.#bytes += bytes
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes)
    this.#slots.set(handle, { length, contents: undefined, failure: undefined })
    return handle
  }

  free(handle: Handle): void {
    const slot = this.#slots.get(handle)
    if (!slot) return
    this.#slots.delete(handle)
    this.#bytes -= slot.length * ELEMENT_BYTES
    this.#queue.push(() => {
      slot.contents = undefined
    })
  }

  write(handle: Handle, data: ArrayLike<number>): void {
    this.#checkOpen('write')
    const slot = this.#slot('write', handle)
    if (data.length !== slot.length)
      throw new BackendError(
        `internal: write must fill the buffer's ${slot.length} elements, got ${data.length}`,
      )
    if (slot.length === 0) return
    const contents = data instanceof Int32Array ? data.slice() : new Float32Array(data)
    this.#queue.push(() => this.#store(slot, contents))
  }

  async read<D extends DType>(handle: Handle, dtype: D, length: number): Promise<ArrayOf[D]> {
    this.#checkOpen('read')
    const slot = this.#slot('read', handle)
    const contents = await new Promise<Contents>((resolve, reject) => {
      this.#queue.push(() => {
        const failure = this.#takeFailure() ?? slot.failure
        if (failure) reject(failure)
        else resolve(contentsOf(slot).slice(0, length))
      })
    })
    const views: { [K in DType]: () => ArrayOf[K] } = {
      f32: () => (contents instanceof Float32Array ? contents : new Float32Array(contents)),
      i32: () => (contents instanceof Int32Array ? contents : new Int32Array(contents)),
    }
    return views[dtype]()
  }

  /** Waits for the queue, then frees all. Throws the error of a kernel that no read has reported. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#slots.clear()
    this.#compiled.clear()
    await this.#gpu.destroy()
    const failure = this.#takeFailure()
    if (failure) throw failure
  }

  #run(
    kernel: GpuKernel,
    values: readonly (number | Slot)[],
    output: GpuOutput,
    target: Slot,
  ): void | Promise<void> {
    const fail = (cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause)
      const failure = new BackendError(`gpu: kernel ${kernel.name} failed: ${message}`, { cause })
      this.#failure ??= failure
      this.#poison(target, failure)
    }
    const store = (result: unknown) => this.#store(target, flatten(result, target.length))
    for (const value of values)
      if (typeof value !== 'number' && value.failure) return this.#poison(target, value.failure)
    try {
      const args = values.map((value) => (typeof value === 'number' ? value : contentsOf(value)))
      const result = this.#compile(kernel, output.length)(args, output)
      if (result instanceof Promise) return result.then(store).catch(fail)
      store(result)
    } catch (cause) {
      fail(cause)
    }
  }

  #compile(kernel: GpuKernel, rank: number): Compiled {
    const byRank = this.#compiled.get(kernel) ?? []
    this.#compiled.set(kernel, byRank)
    byRank[rank] ??= this.#gpu.compile(kernel, rank)
    return byRank[rank]
  }

  #store(slot: Slot, contents: Contents): void {
    slot.contents = contents
    slot.failure = undefined
  }

  #poison(slot: Slot, failure: BackendError): void {
    slot.contents = undefined
    slot.failure = failure
  }

  #takeFailure(): BackendError | undefined {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }

  #slot(op: string, handle: Handle): Slot {
    const slot = this.#slots.get(handle)
    if (!slot) throw new BackendError(`internal: ${op}: the buffer must be live, got handle ${handle}`)
    return slot
  }

  #checkOpen(op: string): void {
    if (this.#closing) throw new BackendError(`${op}: the device must be open, got a closed one`)
  }
}

/** What kernels and reads see. gpu.js takes no empty arrays, so an empty buffer is one zero. */
function contentsOf(slot: Slot): Contents {
  slot.contents ??= new Float32Array(Math.max(1, slot.length))
  return slot.contents
}

/** gpu.js gives rows, or planes of rows, for outputs of more than one axis; webasm's lie next to each other in one array. */
function flatten(result: unknown, length: number): Float32Array {
  const rows = rowsOf(result)
  const first = rows[0]
  const last = rows[rows.length - 1]
  if (first.length >= length) return first.subarray(0, length)
  const isContiguous =
    last.buffer === first.buffer &&
    last.byteOffset - first.byteOffset === (rows.length - 1) * first.byteLength
  if (isContiguous) return new Float32Array(first.buffer, first.byteOffset, length)
  const flat = new Float32Array(length)
  let at = 0
  for (const row of rows) {
    flat.set(at + row.length > length ? row.subarray(0, length - at) : row, at)
    at += row.length
  }
  return flat
}

function rowsOf(result: unknown): Float32Array[] {
  if (result instanceof Float32Array) return [result]
  if (Array.isArray(result)) return result.flatMap(rowsOf)
  throw new BackendError(`internal: gpu.js must return arrays of f32, got ${typeof result}`)
}
