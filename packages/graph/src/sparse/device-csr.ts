import type { Device } from '@tau/tensor'
import type { DenseMatrix } from '../dense/matrix.ts'
import { type Points, shapedMatrixOf } from '../dense/points.ts'
import { GraphError } from '../errors.ts'
import { cpuEngine } from '../kernels/cpu-engine.ts'
import { ResidentCsr } from '../kernels/resident-csr.ts'
import { type Csr, checkCsr } from './csr.ts'

/** A sparse matrix in the memory of a cpu device, for products on its threads. Its `spmm` gives the bits of
 *  the function `spmm`. Dispose of it, or declare it with `using`. Throws BackendError for another
 *  backend. */
export class DeviceCsr implements Disposable {
  readonly nRows: number
  readonly nCols: number
  readonly #matrix: ResidentCsr

  constructor(m: Csr, device: Device) {
    checkCsr('DeviceCsr', m)
    this.nRows = m.nRows
    this.nCols = m.nCols
    this.#matrix = new ResidentCsr(cpuEngine('DeviceCsr', device), m)
  }

  /** m [R, C] · x [C, N] → [R, N] in f64. */
  spmm(dense: Points): DenseMatrix & { data: Float64Array } {
    const x = shapedMatrixOf('spmm', dense)
    if (x.rows !== this.nCols) {
      throw new GraphError(`spmm: x must have nCols = ${this.nCols} rows, got [${x.rows}, ${x.cols}]`)
    }
    const { engine } = this.#matrix
    using operand = engine.scratch(x.rows * x.cols * 8)
    using result = engine.scratch(this.nRows * x.cols * 8)
    this.#matrix.f64(operand.handle, x.rows * x.cols).set(x.data)
    this.#matrix.step(operand.handle, result.handle, x.cols, 1, 0, 0)
    const data = this.#matrix.f64(result.handle, this.nRows * x.cols).slice()
    return { data, rows: this.nRows, cols: x.cols }
  }

  [Symbol.dispose](): void {
    this.#matrix[Symbol.dispose]()
  }
}
