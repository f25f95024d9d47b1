import { copyBlock, type Device, type Tensor } from '@tau/tensor'
import { ELEMENT_BYTES, type Handle } from '@tau/tensor/kernel'
import { BLOCK } from '../../kernels/tau-cache/layout.ts'

const FIRST_TABLE = 16

/** The slots of positions in blocks of BLOCK, and a table of their addresses for kernels. Forks share blocks.
 *  A shared block is copied before it is written. It outlives scopes: dispose it. */
export class PositionBlocks implements Disposable {
  readonly #device: Device
  readonly #blockBytes: number
  #blocks: Tensor[]
  #table: Tensor<'i32'>

  constructor(device: Device, blockBytes: number, blocks: Tensor[] = []) {
    this.#device = device
    this.#blockBytes = blockBytes
    this.#blocks = blocks
    this.#table = this.#newTable()
  }

  /** The present address of the table. It may change when blocks are added. */
  get table(): Handle {
    return this.#table.handle
  }

  /** Bytes held, with spare capacity and with those shared with forks. */
  get bytes(): number {
    return this.#blocks.length * this.#blockBytes + this.#table.size * ELEMENT_BYTES
  }

  /** Whether no fork reads any of the blocks. */
  get exclusive(): boolean {
    return this.#blocks.every(({ exclusive }) => exclusive)
  }

  /** Makes the slots from `start` to `end` writable and keeps the slots before them. */
  makeRoom(start: number, end: number): void {
    for (let i = Math.floor(start / BLOCK); i * BLOCK < end; i++) {
      const old: Tensor | undefined = this.#blocks[i]
      if (old?.exclusive) continue
      const block = this.#device.unscoped(() => this.#device.empty([this.#blockBytes / ELEMENT_BYTES]))
      if (old && i * BLOCK < start) copyWhole(old, block)
      old?.dispose()
      this.#blocks[i] = block
      this.#enter(i, block)
    }
  }

  /** Frees the shared blocks beyond the first `length` slots. Blocks of its own stay as spare capacity. */
  truncate(length: number): void {
    const kept = Math.ceil(length / BLOCK)
    const spare = this.#blocks.splice(kept)
    for (const block of spare)
      if (block.exclusive) this.#blocks.push(block)
      else block.dispose()
    this.#blocks.forEach((block, i) => {
      if (i >= kept) this.#enter(i, block)
    })
  }

  /** The first `length` slots for a second owner. */
  fork(length: number): PositionBlocks {
    const shared = this.#blocks.slice(0, Math.ceil(length / BLOCK))
    const views = this.#device.unscoped(() => shared.map((block) => block.view()))
    return new PositionBlocks(this.#device, this.#blockBytes, views)
  }

  [Symbol.dispose](): void {
    for (const block of this.#blocks) block.dispose()
    this.#table.dispose()
  }

  #enter(i: number, block: Tensor): void {
    if (i < this.#table.size)
      this.#device.engine.write(this.#table.handle + i * ELEMENT_BYTES, Int32Array.of(block.handle))
    else {
      this.#table.dispose()
      this.#table = this.#newTable()
    }
  }

  #newTable(): Tensor<'i32'> {
    const addresses = new Int32Array(Math.max(FIRST_TABLE, 2 * this.#blocks.length))
    this.#blocks.forEach((block, i) => {
      addresses[i] = block.handle
    })
    return this.#device.unscoped(() => this.#device.tensor(addresses))
  }
}

/** Copies a tensor's data to another tensor of the same size. */
export function copyWhole(source: Tensor, target: Tensor): void {
  const all = (tensor: Tensor) => ({ tensor, offset: 0, stride: tensor.size })
  copyBlock(all(source), all(target), 1, source.size)
}
