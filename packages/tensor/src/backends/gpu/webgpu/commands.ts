import { BackendError, DeviceLostError } from '../../../errors.ts'
import type { BufferCounts, GpuTraffic } from '../runtime.ts'
import { BufferPool } from './buffer-pool.ts'
import type { Wait } from './patiently.ts'

const MAP_READ_COPY_DST = 0x01 | 0x08
const UNIFORM_COPY_DST = 0x40 | 0x08
const MAP_MODE_READ = 0x01
/** Every adapter accepts uniform offsets that are multiples of this. */
const UNIFORM_ALIGNMENT = 256
/** Larger staging buffers are not kept, because only checkpoints need them, not losses. */
const KEPT_STAGING_BYTES = 64 * 1024
/** Bytes of uniforms in one submission. This also limits the number of its dispatches. */
const UNIFORM_BYTES = 64 * 1024

/** One run of a compute pipeline. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
  /** Binding 0: a multiple of 4 bytes. */
  readonly uniforms: Uint8Array
  /** Bindings 1, 2, …. A buffer may appear more than once only if all its bindings read. */
  readonly buffers: readonly GPUBuffer[]
  readonly groups: readonly [number, number, number]
}

/** A device's queue of work. Dispatches, copies and uploads run in the order of the calls. Dispatches are
 *  collected and submitted together, at the latest when something is read or {@link flush} is called. */
export class Commands {
  readonly device: GPUDevice
  readonly #traffic = { calls: 0, uploadedBytes: 0, uniformBytes: 0, readBytes: 0 }
  readonly #pool: BufferPool
  /** Staging buffers for reads, by size. */
  readonly #staging = new Map<number, GPUBuffer[]>()
  readonly #uniformBuffer: GPUBuffer
  readonly #uniforms = new Uint8Array(UNIFORM_BYTES)
  #uniformsUsed = 0
  #encoder: GPUCommandEncoder | undefined
  #pass: GPUComputePassEncoder | undefined
  /** Buffers to destroy once the commands that may use them are submitted. */
  #doomed: GPUBuffer[] = []
  /** Errors of the GPU about submitted work, still to come. */
  #checks: Promise<GPUError | null>[] = []
  #lost: DeviceLostError | undefined
  readonly #wait: Wait

  constructor(device: GPUDevice, wait: Wait) {
    this.device = device
    this.#wait = wait
    this.#pool = new BufferPool(
      (bytes, usage) => this.#create(bytes, usage),
      (buffer) => this.#doom(buffer),
    )
    this.#uniformBuffer = this.#create(UNIFORM_BYTES, UNIFORM_COPY_DST)
    void device.lost.then(({ reason, message }) => {
      this.#lost = new DeviceLostError(
        `gpu: the device must stay available, got a lost device (${reason || 'unknown'}: ${message || 'no message'}); open it again and continue from a checkpoint`,
      )
    })
  }

  get traffic(): GpuTraffic {
    return this.#traffic
  }

  /** Set once the device is lost. */
  get lost(): DeviceLostError | undefined {
    return this.#lost
  }

  get counts(): BufferCounts {
    return this.#pool.counts
  }

  /** A buffer of at least `bytes` with arbitrary contents. */
  acquire(bytes: number): GPUBuffer {
    return this.#pool.acquire(bytes).buffer
  }

  acquireZeros(bytes: number): GPUBuffer {
    const { buffer, isFresh } = this.#pool.acquire(bytes)
    if (!isFresh) this.#copies().clearBuffer(buffer)
    return buffer
  }

  /** Releases a buffer. May be called as soon as all work that uses the buffer is enqueued. */
  release(buffer: GPUBuffer): void {
    this.#pool.release(buffer)
  }

  upload(buffer: GPUBuffer, data: Float32Array<ArrayBuffer>): void {
    // writeBuffer runs before all work that is submitted later, so collected work must be submitted first.
    this.flush()
    this.device.queue.writeBuffer(buffer, 0, data)
    this.#traffic.uploadedBytes += data.byteLength
  }

  dispatch({ pipeline, layout, uniforms, buffers, groups }: Dispatch): void {
    const size = Math.ceil(uniforms.length / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT
    if (this.#uniformsUsed + size > UNIFORM_BYTES) this.flush()
    const offset = this.#uniformsUsed
    this.#uniforms.set(uniforms, offset)
    this.#uniformsUsed += size
    const bindGroup = this.device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: this.#uniformBuffer, offset, size: uniforms.length } },
        ...buffers.map((buffer, i) => ({ binding: 1 + i, resource: { buffer } })),
      ],
    })
    this.#pass ??= this.#commands().beginComputePass()
    this.#pass.setPipeline(pipeline)
    this.#pass.setBindGroup(0, bindGroup)
    this.#pass.dispatchWorkgroups(...groups)
    this.#traffic.calls++
  }

  /** Copies bytes between two different buffers; offsets and length are multiples of 4. */
  copy(
    source: GPUBuffer,
    sourceOffset: number,
    target: GPUBuffer,
    targetOffset: number,
    bytes: number,
  ): void {
    this.#copies().copyBufferToBuffer(source, sourceOffset, target, targetOffset, bytes)
  }

  /** The first bytes of a buffer, as they are at this call. Throws the errors of the GPU so far. */
  async read(buffer: GPUBuffer, bytes: number): Promise<Float32Array> {
    const staging = this.#staging.get(buffer.size)?.pop() ?? this.#create(buffer.size, MAP_READ_COPY_DST)
    if (bytes > 0) this.copy(buffer, 0, staging, 0, bytes)
    this.flush()
    const checks = this.#checks
    this.#checks = []
    try {
      await this.#wait(staging.mapAsync(MAP_MODE_READ, 0, bytes))
    } catch (cause) {
      throw new BackendError(`gpu: a buffer must be readable, got ${textOf(cause)}`, { cause })
    }
    const values = new Float32Array(staging.getMappedRange(0, bytes).slice(0))
    staging.unmap()
    this.#traffic.readBytes += bytes
    this.#keepStaging(staging)
    for (const error of await this.#wait(Promise.all(checks))) if (error) throw this.#lost ?? gpuError(error)
    if (this.#lost) throw this.#lost
    return values
  }

  /** Submits the collected work. */
  flush(): void {
    const { device } = this
    if (this.#encoder) {
      this.#endPass()
      device.pushErrorScope('validation')
      device.queue.writeBuffer(this.#uniformBuffer, 0, this.#uniforms, 0, this.#uniformsUsed)
      this.#traffic.uniformBytes += this.#uniformsUsed
      device.queue.submit([this.#encoder.finish()])
      this.#check()
      this.#encoder = undefined
      this.#uniformsUsed = 0
    }
    for (const buffer of this.#doomed) buffer.destroy()
    this.#doomed = []
  }

  /** Frees all its own buffers. The device stays open. */
  destroy(): void {
    this.#pool.clear()
    this.flush()
    for (const list of this.#staging.values()) for (const buffer of list) buffer.destroy()
    this.#staging.clear()
    this.#uniformBuffer.destroy()
  }

  /** Waits for the errors of the GPU that no read has thrown, and throws the first. */
  async settle(): Promise<void> {
    const checks = this.#checks
    this.#checks = []
    for (const error of await this.#wait(Promise.all(checks))) if (error && !this.#lost) throw gpuError(error)
  }

  #commands(): GPUCommandEncoder {
    this.#encoder ??= this.device.createCommandEncoder()
    return this.#encoder
  }

  /** The encoder for copies, which must be outside of passes. */
  #copies(): GPUCommandEncoder {
    this.#endPass()
    return this.#commands()
  }

  #endPass(): void {
    this.#pass?.end()
    this.#pass = undefined
  }

  #keepStaging(staging: GPUBuffer): void {
    if (staging.size > KEPT_STAGING_BYTES) {
      staging.destroy()
      return
    }
    const list = this.#staging.get(staging.size) ?? []
    this.#staging.set(staging.size, list)
    list.push(staging)
  }

  #create(bytes: number, usage: number): GPUBuffer {
    this.device.pushErrorScope('out-of-memory')
    const buffer = this.device.createBuffer({ size: bytes, usage })
    this.#check()
    return buffer
  }

  #doom(buffer: GPUBuffer): void {
    this.#doomed.push(buffer)
  }

  /** Closes the error scope that was opened last. */
  #check(): void {
    // If the device is lost, this promise is rejected. The read reports the loss.
    this.#checks.push(this.device.popErrorScope().catch(() => null))
  }
}

function gpuError(error: GPUError): BackendError {
  const isMemory = 'GPUOutOfMemoryError' in globalThis && error instanceof GPUOutOfMemoryError
  return new BackendError(
    isMemory
      ? `gpu: every buffer must fit in the GPU's memory, got out of memory (${error.message}); use a smaller batch, length or model`
      : `gpu: the GPU must accept all work, got ${error.message}`,
    { cause: error },
  )
}

export const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
