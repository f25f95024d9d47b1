// Declarations use Disposable and Symbol.dispose. This line lets them compile with older TypeScript libraries.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Handle } from './backends/engine.ts'
import type { Device } from './device.ts'
import type { ArrayOf, DType } from './dtype.ts'
import { ShapeError, shapeText } from './errors.ts'
import { valuesText } from './format.ts'
import { type Shape, sizeOf } from './shape.ts'

/** console.log in Node calls the method of this name. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** Device memory that tensors share if they are views of it. */
export interface DeviceBuffer {
  readonly handle: Handle
  /** Number of tensors that hold it; freed at 0. */
  refs: number
  release(): void
}

/** An n-dimensional array on a device, row-major and contiguous. Only optimizers and caches change tensors in
 *  place, and they say so. Operations are functions (`add(a, b)`); reading is asynchronous. A tensor is freed
 *  by its scope or by `dispose()`. */
export class Tensor<D extends DType = 'f32'> implements Disposable {
  readonly device: Device
  readonly shape: Shape
  readonly dtype: D
  readonly #buffer: DeviceBuffer
  #disposed = false

  constructor(device: Device, buffer: DeviceBuffer, shape: Shape, dtype: D) {
    this.device = device
    this.shape = shape.slice() // the caller's array may change
    this.dtype = dtype
    this.#buffer = buffer
    buffer.refs++
    device.adopt(this)
  }

  get size(): number {
    return sizeOf(this.shape)
  }

  get rank(): number {
    return this.shape.length
  }

  /** The handle that kernels take. Throws if the tensor was disposed. */
  get handle(): Handle {
    if (this.#disposed)
      throw new Error(
        `tensor: ${shapeText(this.shape)} ${this.dtype} was disposed and cannot be used; keep it in its scope`,
      )
    return this.#buffer.handle
  }

  get disposed(): boolean {
    return this.#disposed
  }

  /** Whether no other tensor views the same memory, so that it may be changed in place. */
  get exclusive(): boolean {
    return this.#buffer.refs === 1
  }

  /** Another tensor on the same memory with the same number of elements. No tape records it: see
   *  {@link reshape} for the operation. */
  view(shape: Shape = this.shape): Tensor<D> {
    if (sizeOf(shape) !== this.size)
      throw new ShapeError(`view: shape must hold ${this.size} elements, got ${shapeText(shape)}`)
    void this.handle
    return new Tensor(this.device, this.#buffer, shape, this.dtype)
  }

  /** A copy of the values. Waits for all operations before it. */
  data(): Promise<ArrayOf[D]> {
    return this.device.engine.read(this.handle, this.dtype, this.size)
  }

  /** The value of a tensor of one element. */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new ShapeError(`item: tensor must hold one element, got ${shapeText(this.shape)}`)
    return (await this.data())[0]
  }

  /** Replaces the values in place. For parameters and caches only, because no tape sees it. */
  write(values: ArrayOf[D]): void {
    if (values.length !== this.size)
      throw new ShapeError(
        `write: values must have ${this.size} elements for ${shapeText(this.shape)}, got ${values.length}`,
      )
    this.device.engine.write(this.handle, values)
  }

  /** Shape, element type and values, or why there are no values: those of a GPU can be read only by
   *  `await tensor.data()`. Long axes are shortened. `console.log(tensor)` prints this in Node. */
  toString(): string {
    const name = `Tensor ${shapeText(this.shape)} ${this.dtype}`
    if (this.#disposed) return `${name}, disposed`
    const { engine } = this.device
    const values = engine.peek(this.#buffer.handle, this.dtype, this.size)
    if (values) return `${name}\n${valuesText(values, this.shape)}`
    const { backend, variant } = engine.info
    return `${name} on ${backend} (${variant}), values not read; await tensor.data() reads them`
  }

  [INSPECT](): string {
    return this.toString()
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    if (--this.#buffer.refs === 0) this.#buffer.release()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
