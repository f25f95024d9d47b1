import type { Device, Tensor } from '@tau/tensor'
import { ELEMENT_BYTES } from '@tau/tensor/kernel'
import { attend } from '../../kernels/lambda-attention/lambda-attention.ts'
import {
  DESCRIPTION_WORDS,
  Description,
  levelCounts,
  REPORT_WORDS,
  RESERVE_NODES,
  STATE_WORDS,
  State,
  type TreeLayout,
  type TreeSizes,
  treeLayout,
} from '../../kernels/tau-cache/layout.ts'
import type { TauTreeKernels } from '../../kernels/tau-cache/tau-cache.ts'
import { checkReports, floatsOf, notFinite } from './bad-values.ts'
import { NodePool } from './node-pool.ts'
import { Places } from './places.ts'
import { PositionBlocks } from './position-blocks.ts'
import type { NewPositions, TauStore } from './store.ts'

/** Trees are built anew if more than this share of their keys is added or removed at once. One single key
 *  costs as much as 32 keys of a build. */
const REBUILD_SHARE = 1 / 32
const ALWAYS_ONE_BY_ONE = 8
/** Size of a chunk of new nodes, as a share of the tree's nodes. */
const CHUNK_SHARE = 1 / 16

/** Numbers the stores of a family of forks. A store gets a new number whenever it is forked. */
interface Owners {
  next: number
}

/** Positions in blocks, and a tree over λ per query head. A tree answers a query from O(log T) vectors; see
 *  assembly/tau-cache-view.ts. */
export class TreeStore implements TauStore {
  readonly #device: Device
  readonly #kernels: TauTreeKernels
  readonly #sizes: TreeSizes
  readonly #layout: TreeLayout
  readonly temperature: Tensor
  readonly #blocks: PositionBlocks
  readonly #places: Places
  readonly #pool: NodePool
  readonly #owners: Owners
  readonly #description: Tensor<'i32'>
  /** A state per tree, a report per row, and one number for {@link TauTreeKernels.firstNotFinite}. */
  readonly #states: Tensor<'i32'>
  #owner: number
  #length = 0
  /** Address of the table in the description. */
  #table = 0

  /** Takes ownership of `temperature`. */
  constructor(
    device: Device,
    kernels: TauTreeKernels,
    sizes: TreeSizes,
    temperature: Tensor,
    from?: TreeStore,
  ) {
    this.#device = device
    this.#kernels = kernels
    this.#sizes = sizes
    this.#layout = treeLayout(sizes)
    this.temperature = temperature
    this.#places = from ? from.#places.fork() : new Places(device)
    this.#blocks = from
      ? from.#blocks.fork(this.#places.slots(from.#length))
      : new PositionBlocks(device, this.#layout.blockBytes)
    this.#pool = from ? from.#pool.fork() : new NodePool(device, this.#layout.nodeBytes)
    this.#owners = from ? from.#owners : { next: 0 }
    this.#length = from ? from.#length : 0
    const words = this.#trees * STATE_WORDS + this.#rows * REPORT_WORDS + 1
    this.#description = device.unscoped(() => device.tensor(new Int32Array(DESCRIPTION_WORDS)))
    this.#states = device.unscoped(() => device.tensor(new Int32Array(words)))
    if (from) this.#takeTrees(from)
    this.#owner = this.#owners.next++
    this.#describe()
  }

  get length(): number {
    return this.#length
  }

  get bytes(): number {
    return this.#blocks.bytes + this.#places.bytes + this.#pool.bytes
  }

  get #trees(): number {
    return this.#sizes.batch * this.#sizes.heads
  }

  get #rows(): number {
    return this.#sizes.batch * this.#sizes.kvHeads
  }

  /** Allocates blocks for `capacity` positions. */
  reserve(capacity: number): void {
    const end = Math.max(this.#length, capacity)
    this.#blocks.makeRoom(this.#places.slots(this.#length), this.#places.slots(end))
    if (this.#blocks.table !== this.#table) this.#describe()
  }

  append(positions: NewPositions): void {
    const { lambdaK, v, logDecay } = positions
    const [count, start] = [lambdaK.shape[2], this.#length]
    if (count === 0) return
    this.reserve(start + count)
    this.#kernels.store(
      this.#description.handle,
      {
        lambdaK: lambdaK.handle,
        v: v.handle,
        logDecay: logDecay && { high: logDecay.high.handle, low: logDecay.low?.handle },
      },
      this.#states.handle + this.#trees * STATE_WORDS * Int32Array.BYTES_PER_ELEMENT,
      { rows: this.#rows, valueDim: this.#sizes.valueDim, start, count },
    )
    const reports = this.#words().subarray(this.#trees * STATE_WORDS)
    checkReports(reports, this.#sizes)
    if (count > Math.max(ALWAYS_ONE_BY_ONE, start * REBUILD_SHARE)) this.#build(start + count)
    else this.#insert(start + count)
  }

  attend(lambdaQ: Tensor): Tensor {
    const { batch, heads, valueDim } = this.#sizes
    const queries = lambdaQ.shape[2]
    this.#checkQueries(lambdaQ)
    if (queries !== 1) return this.#attendMany(lambdaQ)
    const out = this.#device.empty([batch, heads, 1, valueDim])
    this.#kernels.attend(this.#description.handle, lambdaQ.handle, out.handle, this.#trees, valueDim)
    return out
  }

  truncate(length: number): void {
    const few = Math.max(ALWAYS_ONE_BY_ONE, this.#length * REBUILD_SHARE)
    const isSparse = this.#blocks.exclusive && this.#places.empty(length) > few
    if (isSparse || this.#length - length > few) this.#build(length)
    else {
      for (let time = this.#length - 1; time >= length; time--) {
        this.#refill()
        this.#kernels.remove(this.#description.handle, time, this.#trees)
        this.#length = time
      }
      this.#forget()
    }
  }

  fork(): TreeStore {
    const temperature = this.#device.unscoped(() => this.temperature.view())
    const fork = new TreeStore(this.#device, this.#kernels, this.#sizes, temperature, this)
    // Both read the present nodes now, so neither may change them.
    this.#owner = this.#owners.next++
    this.#describe()
    return fork
  }

  lambdaK(): Tensor {
    const { batch, kvHeads, valueDim } = this.#sizes
    const out = this.#device.empty([batch, kvHeads, this.#length])
    const sizes = { rows: this.#rows, valueDim, length: this.#length }
    this.#kernels.read(this.#description.handle, { lambdaK: out.handle }, sizes)
    return out
  }

  reset(): void {
    this.#length = 0
    this.#plant(0, [])
    this.#pool.dropOld(0)
    this.#places.replace(undefined)
    this.#forget()
  }

  [Symbol.dispose](): void {
    this.#blocks[Symbol.dispose]()
    this.#places[Symbol.dispose]()
    this.#pool[Symbol.dispose]()
    this.temperature.dispose()
    this.#description.dispose()
    this.#states.dispose()
  }

  /** Adds the positions from the present length to `length`, one by one. */
  #insert(length: number): void {
    const start = this.#length
    try {
      for (let time = start; time < length; time++) {
        this.#refill()
        this.#kernels.insert(this.#description.handle, time, this.#trees)
        this.#length = time + 1
      }
    } catch (error) {
      // Memory ran out. The added keys are removed again, which needs no new nodes.
      while (this.#length > start) this.#kernels.remove(this.#description.handle, --this.#length, this.#trees)
      throw error
    }
  }

  /** Builds the trees anew over the first `length` positions. */
  #build(length: number): void {
    const levels = length > 0 ? levelCounts(length) : []
    if (length > 0) {
      const perTree = levels.reduce((sum, count) => sum + count, 0)
      const cache = this.#description.handle
      using lists = this.#device.empty([this.#rows * length * 4])
      const nodes = this.#pool.take(perTree * this.#trees)
      this.#arrange(length, lists)
      this.#kernels.build(cache, { lists: lists.handle, nodes }, { heads: this.#trees, length }, levels)
      this.#plant(nodes, levels)
    } else this.#plant(0, [])
    this.#pool.dropOld(length > 0 ? 1 : 0)
    this.#length = length
    this.#forget()
  }

  /** Sorts the first `length` positions and moves them into that order. If a fork reads some of them, they
   *  stay in place. */
  #arrange(length: number, lists: Tensor): void {
    const cache = this.#description.handle
    const { copyBytes } = this.#layout
    const sizes = { rows: this.#rows, length, copyBytes }
    if (!this.#blocks.exclusive) {
      this.#kernels.sort(cache, lists.handle, sizes)
      return
    }
    using copies = this.#device.empty([(length * copyBytes) / ELEMENT_BYTES])
    const places = this.#places.newList(this.#rows, length)
    this.#kernels.sort(cache, lists.handle, sizes)
    const memory = { lists: lists.handle, copies: copies.handle, places: places.handle }
    this.#kernels.arrange(cache, memory, sizes)
    this.#places.replace(places)
    this.#describe()
  }

  /** Frees what lies beyond the present length. */
  #forget(): void {
    this.#places.truncate(this.#length)
    this.#blocks.truncate(this.#places.slots(this.#length))
    this.#describe()
  }

  /** Sets the states of trees whose nodes begin at `nodes`. Each tree has the same number of nodes, and its
   *  root is the last. */
  #plant(nodes: number, levels: readonly number[]): void {
    const words = this.#words()
    const perTree = levels.reduce((sum, count) => sum + count, 0)
    for (let tree = 0; tree < this.#trees; tree++) {
      const state = words.subarray(tree * STATE_WORDS, (tree + 1) * STATE_WORDS).fill(0)
      state[State.nodes] = perTree
      if (perTree > 0) state[State.root] = nodes + ((tree + 1) * perTree - 1) * this.#layout.nodeBytes
    }
  }

  /** Takes over the trees of another store of the family. Its own new nodes come from its own memory. */
  #takeTrees(from: TreeStore): void {
    const [words, theirs] = [this.#words(), from.#words()]
    for (let tree = 0; tree < this.#trees; tree++)
      for (const word of [State.root, State.nodes])
        words[tree * STATE_WORDS + word] = theirs[tree * STATE_WORDS + word]
  }

  /** Gives memory for new nodes to each tree whose reserve is in use. */
  #refill(): void {
    let words = this.#words()
    for (let tree = 0; tree < this.#trees; tree++) {
      const at = tree * STATE_WORDS
      if (words[at + State.reserve] !== 0) continue
      if (this.#isWasteful(words)) {
        this.#compact()
        return
      }
      const count = Math.max(RESERVE_NODES, Math.ceil(words[at + State.nodes] * CHUNK_SHARE))
      const nodes = this.#pool.take(count)
      words = this.#words() // memory may have grown
      words[at + State.reserve] = nodes
      words[at + State.reserveEnd] = nodes + count * this.#layout.nodeBytes
    }
  }

  /** Whether most nodes are left over from copies and removals. */
  #isWasteful(words: Int32Array): boolean {
    let nodes = 0
    for (let tree = 0; tree < this.#trees; tree++) nodes += words[tree * STATE_WORDS + State.nodes]
    return this.#pool.nodes > 2 * nodes + 4 * RESERVE_NODES * this.#trees
  }

  #compact(): void {
    this.#build(this.#length)
    this.#refill()
  }

  /** Attention of many queries: the kernel of lambdaAttention over a copy of the positions in one piece, with
   *  values as stored. */
  #attendMany(lambdaQ: Tensor): Tensor {
    const { batch, heads, kvHeads, valueDim, decay } = this.#sizes
    const keys = this.#length
    const device = this.#device
    using lambdaK = device.empty([batch, kvHeads, keys])
    using v = device.empty([batch, kvHeads, keys, valueDim])
    using high = device.empty([batch, heads, decay ? keys : 0])
    using low = device.empty(high.shape)
    this.#kernels.read(
      this.#description.handle,
      { lambdaK: lambdaK.handle, v: v.handle, high: high.handle, low: low.handle },
      { rows: this.#rows, valueDim, length: keys },
    )
    return attend(
      device,
      {
        lambdaQ: lambdaQ.handle,
        lambdaK: lambdaK.handle,
        v: v.handle,
        temperature: this.temperature.handle,
        logDecay: decay ? { high: high.handle, low: low.handle } : undefined,
      },
      {
        ...{ batch, heads, kvHeads, queries: lambdaQ.shape[2], keys, valueDim, capacity: keys },
        decayBatch: heads * keys,
      },
    )
  }

  #checkQueries(lambdaQ: Tensor): void {
    const words = this.#trees * STATE_WORDS + this.#rows * REPORT_WORDS
    const found = this.#states.handle + words * Int32Array.BYTES_PER_ELEMENT
    this.#kernels.firstNotFinite(lambdaQ.handle, lambdaQ.size, found)
    const [at] = this.#kernels.words(found, 1)
    if (at < 0) return
    const value = floatsOf(this.#kernels.words(lambdaQ.handle, lambdaQ.size))[at]
    const { heads } = this.#sizes
    const queries = lambdaQ.shape[2]
    const row = Math.floor(at / queries)
    throw notFinite('TauCache.attend', 'lambdaQ', value, [Math.floor(row / heads), row % heads, at % queries])
  }

  #words(): Int32Array {
    return this.#kernels.words(this.#states.handle, this.#states.size)
  }

  #describe(): void {
    const words = this.#kernels.words(this.#description.handle, DESCRIPTION_WORDS)
    this.#table = this.#blocks.table
    for (const [word, value] of this.#layout.words) words[word] = value
    words[Description.owner] = this.#owner
    words[Description.table] = this.#table
    words[Description.temperature] = this.temperature.handle
    words[Description.states] = this.#states.handle
    words[Description.placed] = this.#places.placed
    words[Description.placedSlots] = this.#places.placedSlots
    words[Description.places] = this.#places.list
  }
}
