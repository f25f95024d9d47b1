import type { CpuEngine, Handle, Launch, Work } from '@tau/tensor/kernel'
import type { Csr } from '../sparse/csr.ts'
import { graphWasm } from './wasm-module.ts'

/** Rows per tile of a product with eight columns, so that a tile of out has 64 KiB. */
const ROWS = 1024

/** A sparse matrix in a device's memory. */
export class ResidentCsr implements Disposable {
  readonly engine: CpuEngine
  readonly #handles: Handle[] = []
  readonly #indptr: Handle
  readonly #indices: Handle
  readonly #values: Handle
  readonly #matrix: Csr
  readonly #step: Launch

  constructor(engine: CpuEngine, matrix: Csr) {
    const { indptr, indices, values } = matrix
    this.engine = engine
    this.#matrix = matrix
    this.#step = engine.kernel(graphWasm, 'csrStep')
    this.#indptr = this.alloc(indptr.byteLength)
    this.#indices = this.alloc(indices.byteLength)
    this.#values = this.alloc(values.byteLength)
    engine.write(this.#indptr, indptr)
    engine.write(this.#indices, indices)
    this.f64(this.#values, values.length).set(values)
  }

  /** Allocates memory that is freed with the matrix. */
  alloc(bytes: number): Handle {
    const handle = this.engine.alloc(Math.max(8, bytes))
    this.#handles.push(handle)
    return handle
  }

  /** A view of f64 memory. It stays valid when the memory grows, because that memory is shared. */
  f64(handle: Handle, length: number): Float64Array {
    return new Float64Array(this.engine.view(handle, 1).buffer, handle, length)
  }

  /** out ← a·(m·x) + b·x + c·out with x [nCols, cols], out [nRows, cols] */
  step(x: Handle, out: Handle, cols: number, a: number, b: number, c: number): void {
    const matrix = [this.#indptr, this.#indices, this.#values]
    const grain = Math.max(1, Math.floor((ROWS * 8) / cols))
    const work = () => this.#stepWork(cols, c !== 0)
    this.#step([...matrix, x, out, cols, a, b, c], this.#matrix.nRows, grain, work)
  }

  #stepWork(cols: number, readsOut: boolean): Work {
    const { nRows, nCols, indptr, indices, values } = this.#matrix
    const vectors = (nCols + (readsOut ? 2 : 1) * nRows) * cols
    return {
      flops: 2 * values.length * cols, // without the terms b·x and c·out, which are few
      bytes: indptr.byteLength + indices.byteLength + values.byteLength + 8 * vectors,
      shape: `${nRows} x ${nCols}, ${values.length} entries, times ${cols}`,
    }
  }

  [Symbol.dispose](): void {
    for (const handle of this.#handles.splice(0)) this.engine.free(handle)
  }
}
