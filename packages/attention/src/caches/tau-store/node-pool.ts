import type { Device, Tensor } from '@tau/tensor'
import { ELEMENT_BYTES, type Handle } from '@tau/tensor/kernel'

/** Memory of the nodes of a cache's trees. Single nodes are never freed; a tree that is built anew gets new
 *  memory. It outlives scopes: dispose it. */
export class NodePool implements Disposable {
  readonly #device: Device
  readonly nodeBytes: number
  #chunks: Tensor[]

  constructor(device: Device, nodeBytes: number, chunks: Tensor[] = []) {
    this.#device = device
    this.nodeBytes = nodeBytes
    this.#chunks = chunks
  }

  /** Bytes held, with those shared with forks. */
  get bytes(): number {
    return this.#chunks.reduce((sum, { size }) => sum + size * ELEMENT_BYTES, 0)
  }

  /** Number of nodes that fit the memory, in use or not. */
  get nodes(): number {
    return this.bytes / this.nodeBytes
  }

  /** Allocates memory for `nodes` more nodes. */
  take(nodes: number): Handle {
    const elements = (nodes * this.nodeBytes) / ELEMENT_BYTES
    const chunk = this.#device.unscoped(() => this.#device.empty([elements]))
    this.#chunks.push(chunk)
    return chunk.handle
  }

  /** Frees all chunks but the newest `kept`. */
  dropOld(kept: number): void {
    const old = this.#chunks.splice(0, this.#chunks.length - kept)
    for (const chunk of old) chunk.dispose()
  }

  /** The same memory for a second owner, which must not change it. */
  fork(): NodePool {
    const views = this.#device.unscoped(() => this.#chunks.map((chunk) => chunk.view()))
    return new NodePool(this.#device, this.nodeBytes, views)
  }

  [Symbol.dispose](): void {
    for (const chunk of this.#chunks) chunk.dispose()
  }
}
