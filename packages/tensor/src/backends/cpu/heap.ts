import { BackendError } from '../../errors.ts'

/** Every block starts and ends on a cache line. */
const ALIGN = 64

interface Block {
  readonly address: number
  bytes: number
  free: boolean
  before: Block | undefined
  after: Block | undefined
}

/** The free list of a size. There are 8 lists per power of two, so the first block that fits is at most 12.5
 *  % too large. */
export function binOf(bytes: number): number {
  const power = 31 - Math.clz32(bytes / ALIGN)
  return power < 3 ? bytes / ALIGN : power * 8 + (Math.floor(bytes / ALIGN / 2 ** (power - 3)) & 7) - 16
}

/** With this many blocks in use, most belong to tensors that the program no longer needs. */
const MANY_BLOCKS = 1000

/** What a user can do when memory runs out with this many blocks in use. */
export const waysOut = (blocks: number): string =>
  blocks < MANY_BLOCKS
    ? 'use a smaller batch, length or model'
    : `${blocks} buffers are alive: free tensors that are done with by scopes (using scope = device.scope()), or use a smaller batch, length or model`

/** Allocator for one growing range of addresses: segregated free lists; neighbouring free blocks are merged.
 *  Its bookkeeping lies in JavaScript, so a kernel that writes out of bounds cannot corrupt it. */
export class Heap {
  readonly #grow: (bytes: number) => void
  readonly #limit: number
  readonly #bins: Set<Block>[] = []
  readonly #used = new Map<number, Block>()
  #last: Block | undefined
  #end: number

  /** @param start first address
   *  @param limit end of the range that memory may grow to
   *  @param grow makes [0, bytes) usable, or throws */
  constructor(start: number, limit: number, grow: (bytes: number) => void) {
    this.#end = Math.ceil(start / ALIGN) * ALIGN
    this.#limit = limit
    this.#grow = grow
  }

  /** End of the highest block so far. */
  get end(): number {
    return this.#end
  }

  /** How many blocks are in use. */
  get blocks(): number {
    return this.#used.size
  }

  alloc(bytes: number): number {
    const need = Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN)
    const block = this.#take(need) ?? this.#extend(need)
    block.free = false
    this.#split(block, need)
    this.#used.set(block.address, block)
    return block.address
  }

  free(address: number): void {
    let block = this.#used.get(address)
    if (!block)
      throw new BackendError(`internal: heap block must be in use to be freed, got address ${address}`)
    this.#used.delete(address)
    if (block.after?.free) this.#mergeAfter(block)
    if (block.before?.free) {
      block = block.before
      this.#unlist(block)
      this.#mergeAfter(block)
    }
    block.free = true
    this.#list(block)
  }

  #take(need: number): Block | undefined {
    for (let bin = binOf(need); bin < this.#bins.length; bin++)
      for (const block of this.#bins[bin] ?? [])
        if (block.bytes >= need) {
          this.#unlist(block)
          return block
        }
    return undefined
  }

  #extend(need: number): Block {
    const { address, before } =
      this.#last?.free === true
        ? { address: this.#last.address, before: this.#last.before }
        : { address: this.#end, before: this.#last }
    if (address + need > this.#limit)
      throw new BackendError(
        `alloc: tensors must fit in ${this.#limit} bytes, got ${this.#end} in use and ${need} more; ${waysOut(this.blocks)}`,
      )
    this.#grow(address + need)
    if (this.#last?.free) this.#unlist(this.#last)
    const block: Block = { address, bytes: need, free: false, before, after: undefined }
    if (before) before.after = block
    this.#last = block
    this.#end = address + need
    return block
  }

  #split(block: Block, need: number): void {
    const rest = block.bytes - need
    if (rest === 0) return
    const tail: Block = {
      address: block.address + need,
      bytes: rest,
      free: true,
      before: block,
      after: block.after,
    }
    if (block.after) block.after.before = tail
    else this.#last = tail
    block.after = tail
    block.bytes = need
    this.#list(tail)
  }

  #mergeAfter(block: Block): void {
    const next = block.after!
    if (next.free) this.#unlist(next)
    block.bytes += next.bytes
    block.after = next.after
    if (next.after) next.after.before = block
    else this.#last = block
  }

  #list(block: Block): void {
    const bin = binOf(block.bytes)
    this.#bins[bin] ??= new Set()
    this.#bins[bin].add(block)
  }

  #unlist(block: Block): void {
    this.#bins[binOf(block.bytes)]?.delete(block)
  }
}
