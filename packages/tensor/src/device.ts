import type { Recorder } from './autodiff/tape.ts'
import type { BackendName, Engine } from './backends/engine.ts'
import { type DType, ELEMENT_BYTES, toTypedArray } from './dtype.ts'
import { DTypeError, ShapeError, shapeText } from './errors.ts'
import { loadKernels } from './kernels/registry.ts'
import { flatten, type NestedNumbers } from './nested.ts'
import type { Profiler } from './profile/profile.ts'
import { Scope } from './scope.ts'
import { checkShape, type Shape, sizeOf } from './shape.ts'
import { Tensor } from './tensor.ts'

/** What a device says of itself: printed at start-up, kept in every report and bench. */
export interface DeviceInfo {
  readonly backend: BackendName
  /** The build or mode in use: `relaxed-simd`, `simd`, `webasm`, … */
  readonly variant: string
  readonly threads: number
  /** What the GPU calls itself, where there is one. */
  readonly adapter?: string
  /** Why this backend, where {@link auto} chose it. */
  readonly reason?: string
  /** Why something less than asked for is used, one sentence each; empty when all is as asked. */
  readonly fallbacks: readonly string[]
}

/** See {@link Device.memory}. */
export class MemoryUse {
  readonly liveBuffers: number
  readonly liveBytes: number
  readonly #peakBytes: number

  constructor(liveBuffers: number, liveBytes: number, peakBytes: number) {
    this.liveBuffers = liveBuffers
    this.liveBytes = liveBytes
    this.#peakBytes = peakBytes
  }

  /** Most bytes held at once: tensors, scratch memory of kernels, and on the cpu backend the threads' workspaces and the gaps between
   *  blocks, for that is how far WebAssembly memory must reach. A getter: two readings are equal when what lives is. */
  get peakBytes(): number {
    return this.#peakBytes
  }
}

/** Where tensors live and kernels run. Made by {@link cpu} or {@link gpu}; every tensor knows its device, so there is no
 *  global default. Operations enqueue in program order; `await tensor.data()` reads. */
export class Device {
  readonly engine: Engine
  #info: DeviceInfo | undefined
  /** The tape that records now, set by {@link grad}; undefined when nothing records. */
  tape: Recorder | undefined
  /** What a profile is taken with, set by {@link profile}; undefined when none is. */
  profiler: Profiler | undefined
  #scope: Scope | undefined
  #liveBuffers = 0
  #liveBytes = 0

  private constructor(engine: Engine) {
    this.engine = engine
  }

  /** The device of an engine, with the kernels of every package that is imported by now. Closes the engine when they do not load. */
  static async open(engine: Engine): Promise<Device> {
    const device = new Device(engine)
    try {
      await device.loadKernels()
    } catch (cause) {
      await engine.close()
      throw cause
    }
    return device
  }

  /** Loads the kernels of packages that were imported after the device was opened. Those imported before it are loaded already. */
  loadKernels(): Promise<void> {
    return loadKernels(this.engine)
  }

  get info(): DeviceInfo {
    return this.#info ?? this.engine.info
  }

  /** Replaces {@link info}: for what opens a device and knows more of why than its engine. */
  describe(info: DeviceInfo): void {
    this.#info = info
  }

  /** Buffers and bytes held by tensors that are not disposed: a leak shows as growth between steps. And the most memory that
   *  the engine has needed so far. */
  get memory(): MemoryUse {
    return new MemoryUse(this.#liveBuffers, this.#liveBytes, this.engine.peakBytes)
  }

  /** A tensor from numbers: `tensor([[1, 2], [3, 4]])`, `tensor(values, [2, 2])`, or `tensor(7)` for a scalar.
   *  `shape` defaults to that of the nested arrays; dtype to f32, or to the kind of a typed array.
   *  Throws ShapeError when the arrays are ragged or the count does not fit, DTypeError when a value is not a number or i32 cannot
   *  hold it. */
  tensor(values: Int32Array, shape?: Shape): Tensor<'i32'>
  tensor(values: NestedNumbers, shape?: Shape): Tensor<'f32'>
  tensor<D extends DType>(values: NestedNumbers, shape: Shape | undefined, dtype: D): Tensor<D>
  tensor(values: NestedNumbers, shape?: Shape, dtype?: DType): Tensor<DType> {
    const kind = dtype ?? (values instanceof Int32Array ? 'i32' : 'f32')
    const { flat, shape: nested } = flatten(values)
    const wanted = shape ?? nested
    checkShape('tensor', wanted)
    if (sizeOf(wanted) !== flat.length)
      throw new ShapeError(
        `tensor: shape must hold ${flat.length} values, got ${shapeText(wanted)} = ${sizeOf(wanted)}`,
      )
    if (kind === 'i32' && !(flat instanceof Int32Array)) checkWholeNumbers(flat)
    const out = this.empty(wanted, kind)
    const typed =
      (kind === 'f32' && flat instanceof Float32Array) || (kind === 'i32' && flat instanceof Int32Array)
    this.engine.write(out.handle, typed ? flat : toTypedArray(flat, kind))
    return out
  }

  scalar(value: number): Tensor {
    return this.tensor([value], [])
  }

  /** Uninitialised memory, for kernels that write all of it. */
  empty(shape: Shape): Tensor
  empty<D extends DType>(shape: Shape, dtype: D): Tensor<D>
  empty(shape: Shape, dtype: DType = 'f32'): Tensor<DType> {
    checkShape('empty', shape)
    const bytes = sizeOf(shape) * ELEMENT_BYTES
    const handle = this.engine.alloc(bytes)
    this.#liveBuffers++
    this.#liveBytes += bytes
    const release = () => {
      this.#liveBuffers--
      this.#liveBytes -= bytes
      this.engine.free(handle)
    }
    return new Tensor(this, { handle, refs: 0, release }, shape, dtype)
  }

  /** Opens a scope: tensors made while it is open are freed when it closes, unless kept.
   *  `using scope = device.scope()`; scopes close in the reverse order of opening. */
  scope(): Scope {
    const outer = this.#scope
    const scope = new Scope(outer, () => {
      if (this.#scope !== scope)
        throw new Error(
          'scope: scopes must close in the reverse order of opening; close the inner scope first',
        )
      this.#scope = outer
    })
    this.#scope = scope
    return scope
  }

  /** Runs `f` outside every scope: tensors it makes live until disposed, whatever scope is open. For state that grows
   *  inside steps, such as caches and optimizer moments. */
  unscoped<T>(f: () => T): T {
    const scope = this.#scope
    this.#scope = undefined
    try {
      return f()
    } finally {
      this.#scope = scope
    }
  }

  /** Runs `f`, which waits for nothing, as a part of the program that profiles show under this name. */
  span<T>(name: string, f: () => T): T {
    return this.profiler ? this.profiler.span(name, f) : f()
  }

  /** Called by every new tensor. */
  adopt(tensor: Tensor<DType>): void {
    if (!this.#scope) return
    this.#scope.add(tensor)
    this.tape?.made(tensor)
  }

  /** Stops worker threads and frees the memory. Tensors of the device are dead afterwards. */
  close(): Promise<void> {
    return this.engine.close()
  }
}

function checkWholeNumbers(values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++)
    if ((values[i] | 0) !== values[i])
      throw new DTypeError(
        `tensor: i32 values must be whole numbers from -2^31 to 2^31 - 1, got ${values[i]} at ${i}`,
      )
}
