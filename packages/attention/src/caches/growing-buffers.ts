import { copyBlock, type Device, ShapeError, shapeText, type Tensor } from '@tau/tensor'
import { ELEMENT_BYTES } from '@tau/tensor/kernel'

/** The numbers that a cache keeps per position: `heads` rows of `width` numbers for each of `batch`
 *  sequences. */
export interface Field {
  readonly heads: number
  readonly width: number
}

const FIRST_CAPACITY = 64

/** Named tensors [batch, heads, capacity, width] that grow along time. The capacity doubles when it is used
 *  up, so each position is copied O(1) times. Kernels read the first `length` positions in place. It outlives
 *  scopes: dispose it. */
export class GrowingBuffers<Name extends string> implements Disposable {
  readonly #op: string
  readonly #device: Device
  readonly #batch: number
  readonly #fields: ReadonlyMap<Name, Field>
  #tensors: ReadonlyMap<Name, Tensor>
  #capacity: number
  #length = 0

  constructor(
    op: string,
    device: Device,
    batch: number,
    fields: readonly (readonly [Name, Field])[],
    capacity = FIRST_CAPACITY,
  ) {
    const sizes = fields.map(([, { heads, width }]) => [heads, width])
    if (![batch, capacity, ...sizes.flat()].every((n) => Number.isInteger(n) && n >= 1))
      throw new RangeError(
        `${op}: batch, heads, dims and capacity must be whole numbers of at least 1, got batch ${batch}, capacity ${capacity}, heads and dims ${sizes.map(shapeText).join(' ')}`,
      )
    this.#op = op
    this.#device = device
    this.#batch = batch
    this.#fields = new Map(fields)
    this.#capacity = capacity
    this.#tensors = this.#allocate(capacity)
  }

  get length(): number {
    return this.#length
  }

  get capacity(): number {
    return this.#capacity
  }

  /** Bytes held, with spare capacity. */
  get bytes(): number {
    return [...this.#tensors.values()].reduce((total, { size }) => total + size * ELEMENT_BYTES, 0)
  }

  /** The whole buffer [batch, heads, capacity, width]. Positions from `length` on are undefined. */
  tensor(name: Name): Tensor {
    const tensor = this.#tensors.get(name)
    if (!tensor) throw new Error(`internal: ${this.#op} must keep ${name}, got no such buffer`)
    return tensor
  }

  /** Adds positions: one tensor [batch, heads, T, width] per field, with the same T for all. An axis of width
   *  1 may be left out. */
  append(entries: ReadonlyMap<Name, Tensor>): void {
    const count = this.#checkEntries(entries)
    this.#reserve(this.#length + count)
    for (const [name, source] of entries)
      this.#copy(name, source, count, this.tensor(name), this.#capacity, this.#length, count)
    this.#length += count
  }

  /** A copy of the first `length` positions: [batch, heads, length, width]. */
  copy(name: Name): Tensor {
    const { shape } = this.tensor(name)
    const out = this.#device.empty(shape.with(2, this.#length))
    this.#copy(name, this.tensor(name), this.#capacity, out, this.#length, 0, this.#length)
    return out
  }

  /** Keeps the first `length` positions, and the capacity. */
  truncate(length: number): void {
    this.#length = length
  }

  /** Forgets the first `count` positions. The others move to the front. Capacity beyond twice their number is
   *  freed. */
  dropFirst(count: number): void {
    const kept = this.#length - count
    const capacity = Math.min(this.#capacity, Math.max(1, 2 * kept))
    this.#move(count, kept, capacity)
    this.#length = kept
  }

  /** Copies the positions of `other`, which has the same fields, into these empty buffers. */
  take(other: GrowingBuffers<Name>): void {
    this.#reserve(other.length)
    for (const [name, target] of this.#tensors)
      this.#copy(name, other.tensor(name), other.capacity, target, this.#capacity, 0, other.length)
    this.#length = other.length
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#tensors.values()) tensor.dispose()
  }

  #allocate(capacity: number): Map<Name, Tensor> {
    return this.#device.unscoped(() => {
      const tensors = new Map<Name, Tensor>()
      for (const [name, { heads, width }] of this.#fields)
        tensors.set(name, this.#device.empty([this.#batch, heads, capacity, width]))
      return tensors
    })
  }

  #reserve(length: number): void {
    if (length <= this.#capacity) return
    this.#move(0, this.#length, Math.max(length, 2 * this.#capacity))
  }

  /** Allocates buffers for `capacity` positions and copies `count` positions from `first` on into them. */
  #move(first: number, count: number, capacity: number): void {
    const moved = this.#allocate(capacity)
    for (const [name, old] of this.#tensors) {
      const target = moved.get(name)
      if (target) this.#copy(name, old, this.#capacity, target, capacity, 0, count, first)
      old.dispose()
    }
    this.#tensors = moved
    this.#capacity = capacity
  }

  /** Copies `count` positions of every head, from `first` on, to position `at` of another buffer. The buffers
   *  may differ in length along time. */
  #copy(
    name: Name,
    source: Tensor,
    sourceLength: number,
    target: Tensor,
    targetLength: number,
    at: number,
    count: number,
    first = 0,
  ): void {
    const { heads, width } = this.#field(name)
    copyBlock(
      { tensor: source, offset: first * width, stride: sourceLength * width },
      { tensor: target, offset: at * width, stride: targetLength * width },
      this.#batch * heads,
      count * width,
    )
  }

  #field(name: Name): Field {
    const field = this.#fields.get(name)
    if (!field) throw new Error(`internal: ${this.#op} must keep ${name}, got no such field`)
    return field
  }

  #checkEntries(entries: ReadonlyMap<Name, Tensor>): number {
    const [first] = entries.values()
    const count = first?.shape[2] ?? 0
    for (const [name, { shape }] of entries) {
      const { heads, width } = this.#field(name)
      const expected = [this.#batch, heads, count, ...(width === 1 && shape.length === 3 ? [] : [width])]
      if (shape.length !== expected.length || shape.some((n, axis) => n !== expected[axis]))
        throw new ShapeError(`${this.#op}: ${name} must be ${shapeText(expected)}, got ${shapeText(shape)}`)
    }
    return count
  }
}
