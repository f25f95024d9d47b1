import type { DeviceInfo } from '../../device.ts'
import { type ArrayOf, type DType, ELEMENT_BYTES } from '../../dtype.ts'
import { BackendError, shapeText } from '../../errors.ts'
import type { Handle, Scratch, Storage } from '../engine.ts'
import { checkKernel, type GpuKernel, type GpuLaunch, type GpuOutput, MAX_ELEMENTS } from './kernel.ts'
import { Queue } from './queue.ts'
import type {
  BufferCounts,
  Compiled,
  CompiledWgsl,
  Contents,
  GpuRuntime,
  GpuTraffic,
  WgslRuntime,
} from './runtime.ts'
import { type Slot, Slots } from './slots.ts'
import { checkWgsl, type WgslKernel, type WgslLaunch } from './wgsl.ts'

/** The gpu backend: gpu.js kernels over a table of buffers. Every call enqueues and returns. The queue runs
 *  the calls in order, one at a time. If a kernel fails, the next read throws its error, and so does every
 *  read of a value that depends on it.
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
 *  {@link GpuKernel} lists what the text may contain. A kernel has one output: for several outputs, write
 *  several kernels. An in-place kernel has its target among its arguments. For intermediate memory:
 *  `using partial = engine.scratch(length)`. */
export class GpuEngine implements Storage {
  readonly backend = 'gpu'
  readonly info: DeviceInfo
  readonly #runtime: GpuRuntime
  readonly #queue = new Queue(() => this.#runtime.flush?.())
  readonly #slots: Slots
  readonly #compiled = new Map<GpuKernel, Compiled[]>()
  /** Kernels by their text, because packages define the same kernel in several places. */
  readonly #kernels = new Map<string, GpuKernel>()
  readonly #names = new Set<string>()
  readonly #ranNames = new Set<string>()
  #closing: Promise<void> | undefined

  constructor(runtime: GpuRuntime, info: DeviceInfo) {
    this.#runtime = runtime
    this.#slots = new Slots(runtime)
    this.info = info
  }

  get peakBytes(): number {
    return this.#slots.peakBytes
  }

  /** The most elements that a buffer can have. */
  get maxLength(): number {
    return this.#runtime.maxBytes / ELEMENT_BYTES
  }

  /** Number of buffers that were not freed, scratch memory included. */
  get liveSlots(): number {
    return this.#slots.size
  }

  /** Names of the kernels that have a launcher, and whether each has run. Shows which kernels a test suite
   *  does not cover. */
  get kernelRuns(): ReadonlyMap<string, boolean> {
    return new Map(Array.from(this.#names, (name) => [name, this.#ranNames.has(name)]))
  }

  /** Counts of the buffers on the GPU, after all earlier calls have run; undefined if results are arrays. */
  async buffers(): Promise<BufferCounts | undefined> {
    await this.#drained()
    return this.#runtime.buffers
  }

  /** Bytes sent to and from the GPU, after all earlier calls have run; undefined if the mode does not count
   *  them. */
  async traffic(): Promise<GpuTraffic | undefined> {
    await this.#drained()
    return this.#runtime.traffic && { ...this.#runtime.traffic }
  }

  /** The launcher of a kernel. The kernel is compiled at its first run, once for all sizes. */
  kernel(definition: GpuKernel): GpuLaunch {
    checkKernel(definition)
    const text = JSON.stringify(definition)
    const kernel = this.#kernels.get(text) ?? definition
    this.#kernels.set(text, kernel)
    this.#names.add(kernel.name)
    const kinds = Object.values(kernel.args)
    return (args, output, target) => {
      this.#checkOpen(kernel.name)
      if (args.length !== kinds.length)
        throw new BackendError(`internal: ${kernel.name} takes ${kinds.length} arguments, got ${args.length}`)
      const values = args.map((arg, i) => {
        if (kinds[i] === 'buffer') return this.#slots.get(kernel.name, arg)
        if (kinds[i] === 'float') return Math.fround(arg) // every mode computes with the same f32
        if (Number.isInteger(arg) && Math.abs(arg) <= MAX_ELEMENTS) return arg
        throw new BackendError(
          `internal: ${kernel.name}: ${Object.keys(kernel.args)[i]} must be a whole number below 2^31, got ${arg}`,
        )
      })
      const slot = this.#slots.get(kernel.name, target)
      const count = output.reduce((product, n) => product * n, 1)
      if (count < slot.length || count - slot.length >= Math.max(1, output[0]))
        throw new BackendError(
          `internal: ${kernel.name}: output must hold the target's ${slot.length} elements, got ${shapeText(output)}`,
        )
      if (slot.length > 0) this.#queue.push(() => this.#run(kernel, values, output, slot))
    }
  }

  /** Whether the GPU is emulated by the CPU. */
  get isSoftware(): boolean {
    return this.#runtime.isSoftware === true
  }

  /** Whether {@link wgsl} can be used. */
  get hasWgsl(): boolean {
    return this.#runtime.wgsl !== undefined
  }

  /** The launcher of a hand-written kernel. Such a kernel may have several outputs, work in place, and share
   *  memory within a workgroup. Throws BackendError if {@link hasWgsl} is false. */
  wgsl(kernel: WgslKernel): WgslLaunch {
    const { wgsl } = this.#runtime
    if (!wgsl) throw new BackendError(`internal: ${kernel.name} needs mode webgpu, got ${this.#runtime.mode}`)
    checkWgsl(kernel)
    this.#names.add(kernel.name)
    const count = Object.keys(kernel.buffers).length
    let compiled: CompiledWgsl | undefined
    return (buffers, uniforms, groups) => {
      this.#checkOpen(kernel.name)
      if (buffers.length !== count)
        throw new BackendError(`internal: ${kernel.name} takes ${count} buffers, got ${buffers.length}`)
      const slots = buffers.map((handle) => this.#slots.get(kernel.name, handle))
      this.#queue.push(() => {
        compiled ??= wgsl.compile(kernel)
        this.#ranNames.add(kernel.name)
        return this.#runWgsl(kernel, wgsl, compiled, slots, uniforms, groups)
      })
    }
  }

  /** Memory for `length` elements of intermediate results of a kernel. */
  scratch(length: number): Scratch {
    const handle = this.alloc(length * ELEMENT_BYTES)
    return { handle, [Symbol.dispose]: () => this.free(handle) }
  }

  /** Number of elements in a buffer. A kernel that changes a part of a buffer needs it, because it must write
   *  the rest again. */
  lengthOf(handle: Handle): number {
    return this.#slots.get('lengthOf', handle).length
  }

  alloc(bytes: number): Handle {
    this.#checkOpen('alloc')
    const length = bytes / ELEMENT_BYTES
    const { maxLength } = this
    if (length > maxLength)
      throw new BackendError(
        `alloc: a gpu buffer must hold at most ${maxLength} elements (${this.#runtime.limit}), got ${length}; use a smaller batch, length or model`,
      )
    return this.#slots.add(length)
  }

  free(handle: Handle): void {
    const slot = this.#slots.remove(handle)
    if (slot) this.#queue.push(() => this.#slots.store(slot, undefined))
  }

  write(handle: Handle, data: ArrayLike<number>): void {
    this.#checkOpen('write')
    const slot = this.#slots.get('write', handle)
    if (data.length !== slot.length)
      throw new BackendError(
        `internal: write must fill the buffer's ${slot.length} elements, got ${data.length}`,
      )
    if (slot.length === 0) return
    const values = data instanceof Int32Array ? data.slice() : new Float32Array(data)
    this.#queue.push(() => this.#slots.store(slot, this.#runtime.upload(values)))
  }

  async read<D extends DType>(handle: Handle, dtype: D, length: number): Promise<ArrayOf[D]> {
    this.#checkOpen('read')
    const slot = this.#slots.get('read', handle)
    const reading = new Promise<Float32Array | Int32Array>((resolve, reject) => {
      this.#queue.push(() => {
        const failure = this.#slots.takeFailure() ?? slot.failure
        if (failure) reject(failure)
        else this.#runtime.read(this.#slots.contentsOf(slot), length).then(resolve, reject)
      })
    })
    const values = await reading.catch(async (error) => {
      // A lost device is reported after the error that it causes.
      await new Promise((resolve) => setTimeout(resolve))
      throw this.#runtime.lost ?? error
    })
    const views: { [K in DType]: () => ArrayOf[K] } = {
      f32: () => (values instanceof Float32Array ? values : new Float32Array(values)),
      i32: () => (values instanceof Int32Array ? values : new Int32Array(values)),
    }
    return views[dtype]()
  }

  /** Always undefined, because values come from a GPU only later. */
  peek(): undefined {}

  /** Waits for the queue, then frees everything. Throws the error of a failed kernel if no read has thrown
   *  it. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#drained()
    this.#slots.clear()
    this.#compiled.clear()
    await this.#runtime.destroy()
    const failure = this.#slots.takeFailure()
    if (failure) throw failure
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => this.#queue.push(resolve))
  }

  #run(
    kernel: GpuKernel,
    values: readonly (number | Slot)[],
    output: GpuOutput,
    target: Slot,
  ): void | Promise<void> {
    const inputs = values.filter((value) => typeof value !== 'number')
    return this.#slots.guard(kernel.name, inputs, [target], () => {
      const args = values.map((value) => (typeof value === 'number' ? value : this.#slots.contentsOf(value)))
      const sizes = trimmed(output)
      const result = this.#compile(kernel, sizes.length)(args, sizes)
      const store = (contents: Contents) => this.#slots.store(target, contents)
      return result instanceof Promise ? result.then(store) : store(result)
    })
  }

  #runWgsl(
    { name, buffers }: WgslKernel,
    wgsl: WgslRuntime,
    compiled: CompiledWgsl,
    slots: readonly Slot[],
    ...rest: [uniforms: readonly number[], groups: readonly [number, number, number]]
  ): void | Promise<void> {
    const accesses = Object.values(buffers).map(({ access }) => access)
    const inputs = slots.filter((_, i) => accesses[i] !== 'write')
    const targets = slots.filter((_, i) => accesses[i] !== 'read')
    return this.#slots.guard(name, inputs, targets, () => {
      // A buffer that the run also reads cannot be written in place. The result goes to a new buffer, which
      // then replaces it.
      const replaced: [Slot, Contents][] = []
      const contents = slots.map((slot, i) => {
        if (accesses[i] !== 'write') return this.#slots.contentsOf(slot)
        if (slot.contents && !inputs.includes(slot)) return slot.contents
        const fresh = wgsl.unwritten(slot.length)
        replaced.push([slot, fresh])
        return fresh
      })
      const store = () => {
        for (const [slot, fresh] of replaced.splice(0)) this.#slots.store(slot, fresh)
        for (const slot of targets) slot.failure = undefined
      }
      const giveBack = (cause: unknown) => {
        for (const [, fresh] of replaced) this.#runtime.release(fresh)
        throw cause
      }
      try {
        const running = compiled(contents, ...rest)
        return running ? running.then(store).catch(giveBack) : store()
      } catch (cause) {
        return giveBack(cause)
      }
    })
  }

  #compile(kernel: GpuKernel, rank: number): Compiled {
    const byRank = this.#compiled.get(kernel) ?? []
    this.#ranNames.add(kernel.name)
    this.#compiled.set(kernel, byRank)
    byRank[rank] ??= this.#runtime.compile(kernel, rank)
    return byRank[rank]
  }

  #checkOpen(op: string): void {
    if (this.#closing) throw new BackendError(`${op}: the device must be open, got a closed one`)
  }
}

/** Drops axes of length 1 at the end. Threads of one axis are laid out better, and there may be more of
 *  them. */
function trimmed([x, y = 1, z = 1]: GpuOutput): GpuOutput {
  if (z > 1) return [x, y, z]
  return y > 1 ? [x, y] : [x]
}
