import type { Device, Tensor } from '@tau/tensor'
import { ELEMENT_BYTES, type Handle } from '@tau/tensor/kernel'

/** The slots of a cache's positions; see assembly/tau-cache-view.ts. It outlives scopes: dispose it. */
export class Places implements Disposable {
  readonly #device: Device
  /** Slots of the times before `placed`, [rows, placedSlots]. Undefined: each time is its own slot. The list
   *  is never changed. */
  #list: Tensor<'i32'> | undefined
  #placed = 0
  #placedSlots = 0

  constructor(device: Device) {
    this.#device = device
  }

  get list(): Handle {
    return this.#list?.handle ?? 0
  }

  /** Number of times in the list. */
  get placed(): number {
    return this.#placed
  }

  /** Number of slots that the list was made for. Slots of forgotten times are empty. */
  get placedSlots(): number {
    return this.#placedSlots
  }

  get bytes(): number {
    return (this.#list?.size ?? 0) * ELEMENT_BYTES
  }

  /** Number of slots up to the last one of the first `length` positions. */
  slots(length: number): number {
    return length + this.#placedSlots - Math.min(this.#placed, length)
  }

  /** Number of those slots that are empty. */
  empty(length: number): number {
    return this.slots(length) - length
  }

  /** Allocates a list for `length` positions. Fill it and pass it to {@link replace}. */
  newList(rows: number, length: number): Tensor<'i32'> {
    return this.#device.unscoped(() => this.#device.empty([rows, length], 'i32'))
  }

  /** Takes ownership of `list`. */
  replace(list: Tensor<'i32'> | undefined): void {
    this.#list?.dispose()
    this.#list = list
    this.#placed = this.#placedSlots = list?.shape[1] ?? 0
  }

  /** Forgets the times from `length` on. */
  truncate(length: number): void {
    this.#placed = Math.min(this.#placed, length)
  }

  /** The same slots for a second owner. */
  fork(): Places {
    const fork = new Places(this.#device)
    fork.#list = this.#device.unscoped(() => this.#list?.view())
    fork.#placed = this.#placed
    fork.#placedSlots = this.#placedSlots
    return fork
  }

  [Symbol.dispose](): void {
    this.#list?.dispose()
  }
}
