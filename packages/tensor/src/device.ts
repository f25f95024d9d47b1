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

/** A description of a device. It is printed at start-up and kept in every report and benchmark. */
export interface DeviceInfo {
  readonly backend: BackendName
  /** The build or mode in use: `relaxed-simd`, `simd`, `webasm`, … */
  readonly variant: string
  readonly threads: number
  /** The GPU's own name, if there is a GPU. */
  readonly adapter?: string
  /** Why {@link auto} chose this backend, if it did. */
  readonly reason?: string
  /** One sentence for each fallback: what is used instead of what was asked for, and why. Empty if there is
   *  none. */
  readonly fallbacks: readonly string[]
}

/** The memory use of a device: see {@link Device.memory}. */
export class MemoryUse {
  readonly liveBuffers: number
  readonly liveBytes: number
  readonly #peakBytes: number

  constructor(liveBuffers: number, liveBytes: number, peakBytes: number) {
    this.liveBuffers = liveBuffers
    this.liveBytes = liveBytes
    this.#peakBytes = peakBytes
  }

  /** The most bytes held at the same time: tensors and scratch memory of kernels. On the cpu backend it also
   *  counts the workspaces of the threads and the gaps between blocks, because WebAssembly memory must reach
   *  that far. It is a getter, so two readings compare as equal if the live buffers are equal. */
  get peakBytes(): number {
    return this.#peakBytes
  }
}

/** Where tensors live and kernels run. {@link cpu}, {@link gpu} and {@link auto} open one. Every tensor knows
 *  its device; there is no global default. Operations are enqueued in program order; `await tensor.data()`
 *  reads. */
export class Device {
  readonly engine: Engine
  #info: DeviceInfo | undefined
  /** The open tape, set by {@link grad}; undefined if none records. */
  tape: Recorder | undefined
  /** The open profile, set by {@link profile}; undefined if there is none. */
  profiler: Profiler | undefined
  #scope: Scope | undefined
  #liveBuffers = 0
  #liveBytes = 0

  private constructor(engine: Engine) {
    this.engine = engine
  }

  /** Makes the device of an engine and loads the kernels of every package that is imported by now. If they do
   *  not load, it closes the engine and throws. */
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

  /** Loads the kernels of packages that were imported after the device was opened. The kernels of packages
   *  imported earlier are loaded already. */
  loadKernels(): Promise<void> {
    return loadKernels(this.engine)
  }

  get info(): DeviceInfo {
    return this.#info ?? this.engine.info
  }

  /** Replaces {@link info}. For functions that open a device and know more about the reasons than its
   *  engine. */
  describe(info: DeviceInfo): void {
    this.#info = info
  }

  /** Buffers and bytes held by tensors that are not disposed, and the most memory that the engine has needed
   *  so far. If the buffers grow from step to step, the program has a leak. */
  get memory(): MemoryUse {
    return new MemoryUse(this.#liveBuffers, this.#liveBytes, this.engine.peakBytes)
  }

  /** A tensor from numbers: `tensor([[1, 2], [3, 4]])`, `tensor(values, [2, 2])`, or `tensor(7)` for a
   *  scalar.
   *  `shape` defaults to the shape of the nested arrays. `dtype` defaults to f32, or to i32 for an
   *  Int32Array.
   *  Throws ShapeError if arrays are ragged or the number of values does not fit. Throws DTypeError if a
   *  value is not a number or i32 cannot hold it. */
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

  /** A tensor of uninitialised memory, for kernels that write all of it. */
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

  /** Opens a scope: `using scope = device.scope()`. When it closes, it frees the tensors that were made while
   *  it was open, except those it was told to keep. Scopes must close in the reverse order of opening. */
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

  /** Runs `f` outside every scope. Tensors that it makes live until they are disposed, also if a scope is
   *  open. For state that is made during a step, such as caches and optimizer moments. */
  unscoped<T>(f: () => T): T {
    const scope = this.#scope
    this.#scope = undefined
    try {
      return f()
    } finally {
      this.#scope = scope
    }
  }

  /** Runs the synchronous function `f` as a part of the program that profiles show under this name. */
  span<T>(name: string, f: () => T): T {
    return this.profiler ? this.profiler.span(name, f) : f()
  }

  /** Every new tensor calls this. */
  adopt(tensor: Tensor<DType>): void {
    if (!this.#scope) return
    this.#scope.add(tensor)
    this.tape?.made(tensor)
  }

  /** Stops worker threads and frees the memory. Tensors of the device cannot be used afterwards. */
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
