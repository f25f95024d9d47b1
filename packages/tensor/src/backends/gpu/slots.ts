import { ELEMENT_BYTES } from '../../dtype.ts'
import { BackendError } from '../../errors.ts'
import type { Handle } from '../engine.ts'
import type { Contents, GpuRuntime } from './runtime.ts'

/** A buffer. Queued tasks hold the slot itself, so its handle may be freed while they wait. */
export interface Slot {
  readonly length: number
  /** Undefined until something is written; it then reads as zeros. */
  contents: Contents | undefined
  /** The error of the kernel that should have filled this buffer. It is passed on to everything that is
   *  computed from it. */
  failure: BackendError | undefined
}

/** The buffers of an engine by handle, and the failures of the kernels that fill them. */
export class Slots {
  readonly #runtime: GpuRuntime
  readonly #slots = new Map<Handle, Slot>()
  #lastHandle = 0
  #bytes = 0
  #peakBytes = 0
  /** The first failure that no read has thrown yet. */
  #failure: BackendError | undefined

  constructor(runtime: GpuRuntime) {
    this.#runtime = runtime
  }

  get size(): number {
    return this.#slots.size
  }

  get peakBytes(): number {
    return this.#peakBytes
  }

  add(length: number): Handle {
    const handle = ++this.#lastHandle
    this.#bytes += length * ELEMENT_BYTES
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes)
    this.#slots.set(handle, { length, contents: undefined, failure: undefined })
    return handle
  }

  /** Removes a handle and returns its slot, if it had one. The contents stay until something is stored. */
  remove(handle: Handle): Slot | undefined {
    const slot = this.#slots.get(handle)
    if (!slot) return undefined
    this.#slots.delete(handle)
    this.#bytes -= slot.length * ELEMENT_BYTES
    return slot
  }

  get(op: string, handle: Handle): Slot {
    const slot = this.#slots.get(handle)
    if (!slot) throw new BackendError(`internal: ${op}: the buffer must be live, got handle ${handle}`)
    return slot
  }

  store(slot: Slot, contents: Contents | undefined): void {
    if (slot.contents) this.#runtime.release(slot.contents)
    slot.contents = contents
    slot.failure = undefined
  }

  contentsOf(slot: Slot): Contents {
    slot.contents ??= this.#runtime.zeros(slot.length)
    return slot.contents
  }

  /** Runs a kernel, unless an input is missing because an earlier kernel failed. Then the targets of this
   *  kernel fail as well. */
  guard(
    name: string,
    inputs: readonly Slot[],
    targets: readonly Slot[],
    run: () => void | Promise<void>,
  ): void | Promise<void> {
    const poison = (failure: BackendError) => {
      for (const target of targets) {
        this.store(target, undefined)
        target.failure = failure
      }
    }
    const fail = (cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause)
      const failure = new BackendError(`gpu: kernel ${name} failed: ${message}`, { cause })
      this.#failure ??= failure
      poison(failure)
    }
    const failed = inputs.find(({ failure }) => failure)?.failure
    if (failed) return poison(failed)
    try {
      return run()?.catch(fail)
    } catch (cause) {
      fail(cause)
    }
  }

  /** The first failure that was not yet taken. */
  takeFailure(): BackendError | undefined {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }

  clear(): void {
    for (const slot of this.#slots.values()) this.store(slot, undefined)
    this.#slots.clear()
  }
}
