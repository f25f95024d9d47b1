import type { CpuEngine, Handle } from '@tau/tensor/kernel'
import type { DenseMatrix } from '../dense/matrix.ts'
import type { Measures } from './measures.ts'

/** The numbers of every item besides its vector. */
export interface Columns extends Measures {
  readonly ids: Float64Array
  /** length of the vector */
  readonly norm: Float64Array
  readonly lambda: Float64Array
}

const NAMES = [
  'ids',
  'norm',
  'energy',
  'dispersion',
  'ownTau',
  'lambda',
] as const satisfies readonly (keyof Columns)[]

/** Items in the slots [0, size) of growing arrays, in no order. When an item is removed, the last one moves
 *  into its slot. Vectors are kept as f32 while all of them are f32, which halves the memory; then they are
 *  kept as f64. So no vector is ever rounded. With an engine they lie in its memory. */
export class Items implements Disposable {
  readonly dim: number
  readonly engine: CpuEngine | undefined
  #handle: Handle | undefined
  #size = 0
  #vectors: Float32Array | Float64Array = new Float32Array(0)
  readonly #columns: Record<keyof Columns, Float64Array> = {
    ids: new Float64Array(0),
    norm: new Float64Array(0),
    energy: new Float64Array(0),
    dispersion: new Float64Array(0),
    ownTau: new Float64Array(0),
    lambda: new Float64Array(0),
  }

  constructor(dim: number, engine?: CpuEngine) {
    this.dim = dim
    this.engine = engine
  }

  get size(): number {
    return this.#size
  }

  /** The vectors of all slots, followed by spare ones. `append` may replace the array. */
  get vectors(): Float32Array | Float64Array {
    return this.#vectors
  }

  /** Address of the vectors in the engine's memory. */
  get handle(): Handle {
    if (this.#handle === undefined) throw new Error('internal: items must be on an engine')
    return this.#handle
  }

  /** The columns, with one number per slot and spare ones like `vectors`. */
  get columns(): Columns {
    return this.#columns
  }

  vector(slot: number): Float32Array | Float64Array {
    return this.#vectors.slice(slot * this.dim, (slot + 1) * this.dim)
  }

  /** A copy of a column without its spare slots. */
  column(name: keyof Columns): Float64Array {
    return this.#columns[name].slice(0, this.#size)
  }

  /** Adds m items. O(m·D) on average, because the capacity doubles when it is used up. */
  append({ data, rows }: DenseMatrix, columns: Columns): void {
    this.#reserve(this.#size + rows, data instanceof Float64Array)
    this.#vectors.set(data, this.#size * this.dim)
    for (const name of NAMES) this.#columns[name].set(columns[name], this.#size)
    this.#size += rows
  }

  /** Removes slots and moves the last items into them. O(N + m·D). Returns the new slot of every old one, −1
   *  for a removed one. */
  remove(slots: readonly number[]): Int32Array {
    const { dim } = this
    const moved = new Int32Array(this.#size) // Int32Array.from takes ten times as long
    for (let slot = 0; slot < moved.length; slot++) moved[slot] = slot
    for (const slot of slots) moved[slot] = -1
    const size = this.#size - slots.length
    let from = size
    for (const slot of slots) {
      if (slot >= size) continue
      while (moved[from] < 0) from++
      moved[from] = slot
      this.#vectors.copyWithin(slot * dim, from * dim, (from + 1) * dim)
      for (const name of NAMES) this.#columns[name][slot] = this.#columns[name][from]
      from++
    }
    this.#size = size
    return moved
  }

  #reserve(size: number, isF64: boolean): void {
    const isWider = isF64 && this.#vectors instanceof Float32Array
    const held = this.#columns.ids.length
    const capacity = size > held ? Math.max(size, 2 * held) : held
    if (capacity > held || isWider) {
      const length = capacity * this.dim
      const isWide = isF64 || this.#vectors instanceof Float64Array
      const before = this.#handle
      const vectors = this.#take(length, isWide)
      vectors.set(this.#vectors.subarray(0, this.#size * this.dim))
      this.#vectors = vectors
      if (before !== undefined) this.engine?.free(before)
    }
    if (capacity === held) return
    for (const name of NAMES) {
      const column = new Float64Array(capacity)
      column.set(this.#columns[name].subarray(0, this.#size))
      this.#columns[name] = column
    }
  }

  #take(length: number, isWide: boolean): Float32Array | Float64Array {
    const { engine } = this
    if (!engine) return isWide ? new Float64Array(length) : new Float32Array(length)
    const handle = engine.alloc(Math.max(8, length * (isWide ? 8 : 4)))
    const { buffer } = engine.view(handle, 1) // a view stays valid, because the memory is shared and keeps its place when it grows
    this.#handle = handle
    return isWide ? new Float64Array(buffer, handle, length) : new Float32Array(buffer, handle, length)
  }

  /** Removes all items. */
  [Symbol.dispose](): void {
    if (this.#handle !== undefined) this.engine?.free(this.#handle)
    this.#handle = undefined
    this.#vectors = new Float32Array(0)
    for (const name of NAMES) this.#columns[name] = new Float64Array(0)
    this.#size = 0
  }
}
