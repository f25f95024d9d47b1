import { type CpuEngine, type Launch, rowGrain, touches, type Work } from '@tau/tensor/kernel'
import { gram } from '../generated/constants.ts'
import { Owned } from '../kernels/owned.ts'
import { graphWasm } from '../kernels/wasm-module.ts'
import { nativeTiles } from './native-tiles.ts'
import { CHUNK, type GramProducts } from './products.ts'

/** Bytes of the rows that are held. With more, rows would leave the cache between the copy and the
 *  product. */
const HELD_BYTES = 2 ** 23
/** Bytes of the products of chunks that wait to be added. */
const PARTIAL_BYTES = 2 ** 23
/** Fewest chunks that are multiplied at a time, because each thread takes one. */
const MIN_CHUNKS = 4
/** Rows and columns of a tile of products. */
const { TILE } = gram

/** Device bytes that the products take, without the buffers that callers take for rows. */
export const deviceProductBytes = (cols: number): number =>
  4 * cols * cols * chunksAtOnce(cols) + 8 * cols * cols + 4 * cols * heldRows(cols)

const heldRows = (cols: number): number =>
  CHUNK * Math.max(MIN_CHUNKS, Math.floor(HELD_BYTES / (4 * cols * CHUNK)))

const chunksAtOnce = (cols: number): number => {
  const wanted = cols > TILE ? 1 : MIN_CHUNKS // one wide chunk has enough tiles for all threads
  return Math.max(wanted, Math.floor(PARTIAL_BYTES / (4 * cols * cols)))
}

/** Gram products in f32, chunk by chunk, by the kernels or the BLAS of a cpu device. Their sums are f64. */
export class DeviceProducts implements GramProducts {
  readonly capacity: number
  readonly #engine: CpuEngine
  readonly #cols: number
  readonly #owned = new Owned()
  readonly #buffers: Uint8Array[] = []
  readonly #tiles: Launch
  readonly #add: Launch
  readonly #shift: Launch
  readonly #rows: number
  readonly #partials: number
  readonly #products: number
  readonly #offset: number
  readonly #chunkSums: number
  readonly #sums: Float64Array

  constructor(engine: CpuEngine, cols: number) {
    this.capacity = heldRows(cols)
    this.#engine = engine
    this.#cols = cols
    this.#tiles = nativeTiles(engine) ?? engine.kernel(graphWasm, 'gramTiles')
    this.#add = engine.kernel(graphWasm, 'gramAdd')
    this.#shift = engine.kernel(graphWasm, 'gramShift')
    this.#sums = new Float64Array(cols)
    const take = (bytes: number) => this.#owned.take(engine.scratch(bytes)).handle
    try {
      this.#rows = take(4 * cols * this.capacity)
      this.#partials = take(4 * cols * cols * chunksAtOnce(cols))
      this.#products = take(8 * cols * cols)
      this.#offset = take(4 * cols)
      this.#chunkSums = take((8 * cols * this.capacity) / CHUNK)
    } catch (error) {
      this.#owned[Symbol.dispose]()
      throw error
    }
    this.#doubles(this.#products, cols * cols).fill(0)
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]()
  }

  place(at: number, data: Float64Array | Float32Array): void {
    this.#engine.write(this.#rows + 4 * at * this.#cols, data)
  }

  buffer(bytes: number): Uint8Array {
    const { handle } = this.#owned.take(this.#engine.scratch(bytes))
    const buffer = new Uint8Array(this.#engine.view(handle, 0).buffer, handle, bytes)
    this.#buffers.push(buffer)
    return buffer
  }

  owns(data: Float64Array | Float32Array): boolean {
    return data instanceof Float32Array && this.#buffers.some(({ buffer }) => buffer === data.buffer)
  }

  held(rows: number): Float32Array {
    return this.#engine.view(this.#rows, rows * this.#cols)
  }

  multiply({ byteOffset, length }: Float64Array | Float32Array, shift: Float64Array, scale: number): void {
    const cols = this.#cols
    const rows = length / cols
    const chunks = Math.ceil(rows / CHUNK)
    this.#engine.write(this.#offset, Float32Array.from(shift))
    const shifted = [byteOffset, this.#offset, this.#chunkSums, rows, cols, CHUNK, scale]
    this.#shift(shifted, chunks, 1, touches(2 * rows * cols))
    const sums = this.#doubles(this.#chunkSums, chunks * cols)
    for (let n = 0; n < sums.length; n++) this.#sums[n % cols] += sums[n]
    const most = chunksAtOnce(cols)
    for (let first = 0; first < chunks; first += most) {
      const count = Math.min(most, chunks - first)
      const from = first * CHUNK
      this.#multiplyChunks(byteOffset + 4 * from * cols, Math.min(count * CHUNK, rows - from), count)
    }
  }

  products(): Float64Array {
    return this.#doubles(this.#products, this.#cols ** 2).slice()
  }

  sums(): Float64Array {
    return this.#sums
  }

  #multiplyChunks(x: number, rows: number, count: number): void {
    const cols = this.#cols
    const across = Math.ceil(cols / TILE)
    const work = (): Work => ({
      flops: rows * cols * (cols + 1),
      bytes: 4 * (rows * cols + count * cols * cols),
    })
    this.#tiles([x, this.#partials, rows, cols, CHUNK], (count * across * (across + 1)) / 2, 1, work)
    const added = [this.#partials, this.#products, cols, count]
    this.#add(added, cols, rowGrain(cols * count), touches((cols * cols * (count + 4)) / 2))
  }

  /** A view of device memory. It must be used at once, because the memory may move when more is taken. */
  #doubles(address: number, length: number): Float64Array {
    return new Float64Array(this.#engine.view(address, 0).buffer, address, length)
  }
}
