import type { BufferCounts } from '../runtime.ts'

/** Usage flags of a storage buffer: kernels, copies in and out. WebGPU's own constants are globals that Node
 *  lacks. */
const STORAGE_COPY_SRC_COPY_DST = 0x80 | 0x04 | 0x08
const SMALLEST = 256

/** The size class of `bytes`. There are four classes per power of two, so at most a fifth of a buffer is
 *  unused. */
export function classBytes(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST
  const step = 2 ** Math.max(8, Math.floor(Math.log2(bytes - 1)) - 2)
  return Math.ceil(bytes / step) * step
}

/** Storage buffers by size class. A released buffer may be handed out again at once, because the queue keeps
 *  the order of the work. The pool holds at most as many bytes as were ever live, and destroys the rest. */
export class BufferPool {
  readonly #create: (bytes: number, usage: number) => GPUBuffer
  readonly #destroy: (buffer: GPUBuffer) => void
  readonly #free = new Map<number, GPUBuffer[]>()
  #live = 0
  #liveBytes = 0
  #peakBytes = 0
  #pooled = 0
  #pooledBytes = 0

  /** `destroy` must work for a buffer that commands use which are not yet submitted. */
  constructor(create: (bytes: number, usage: number) => GPUBuffer, destroy: (buffer: GPUBuffer) => void) {
    this.#create = create
    this.#destroy = destroy
  }

  get counts(): BufferCounts {
    return {
      live: this.#live,
      liveBytes: this.#liveBytes,
      pooled: this.#pooled,
      pooledBytes: this.#pooledBytes,
    }
  }

  /** A buffer of at least `bytes` with arbitrary contents. If `isFresh`, it holds zeros. */
  acquire(bytes: number): { buffer: GPUBuffer; isFresh: boolean } {
    const size = classBytes(bytes)
    const old = this.#free.get(size)?.pop()
    if (old) {
      this.#pooled--
      this.#pooledBytes -= size
    }
    this.#live++
    this.#liveBytes += size
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes)
    return { buffer: old ?? this.#create(size, STORAGE_COPY_SRC_COPY_DST), isFresh: !old }
  }

  release(buffer: GPUBuffer): void {
    const { size } = buffer
    this.#live--
    this.#liveBytes -= size
    if (this.#pooledBytes + size > this.#peakBytes) {
      this.#destroy(buffer)
      return
    }
    const list = this.#free.get(size) ?? []
    this.#free.set(size, list)
    list.push(buffer)
    this.#pooled++
    this.#pooledBytes += size
  }

  /** Destroys the pooled buffers. */
  clear(): void {
    for (const list of this.#free.values()) for (const buffer of list) this.#destroy(buffer)
    this.#free.clear()
    this.#pooled = 0
    this.#pooledBytes = 0
  }
}
