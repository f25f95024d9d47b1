import type { Csr } from '../sparse/csr.ts'
import { CHUNK, PANEL, type Panel, type PanelSpace } from './panel-space.ts'

/** Panels in JavaScript, for hosts without a device. */
export class JsPanels implements PanelSpace {
  readonly size: number
  readonly #matrix: Csr
  readonly #free: Panel[] = []

  constructor(matrix: Csr) {
    this.size = matrix.nRows
    this.#matrix = matrix
  }

  take(): Panel {
    return this.#free.pop() ?? { data: new Float64Array(this.size * PANEL), handle: 0 }
  }

  give(panel: Panel): void {
    this.#free.push(panel)
  }

  step({ data: x }: Panel, { data: out }: Panel, a: number, b: number, c: number): void {
    const { indptr, indices, values } = this.#matrix
    const sums = new Float64Array(PANEL)
    for (let i = 0; i < this.size; i++) {
      const at = i * PANEL
      const last = indptr[i + 1]
      let s0 = 0
      let s1 = 0
      let s2 = 0
      let s3 = 0
      let s4 = 0
      let s5 = 0
      let s6 = 0
      let s7 = 0
      for (let e = indptr[i]; e < last; e++) {
        const weight = values[e]
        const from = indices[e] * PANEL
        s0 += weight * x[from]
        s1 += weight * x[from + 1]
        s2 += weight * x[from + 2]
        s3 += weight * x[from + 3]
        s4 += weight * x[from + 4]
        s5 += weight * x[from + 5]
        s6 += weight * x[from + 6]
        s7 += weight * x[from + 7]
      }
      sums[0] = s0
      sums[1] = s1
      sums[2] = s2
      sums[3] = s3
      sums[4] = s4
      sums[5] = s5
      sums[6] = s6
      sums[7] = s7
      for (let j = 0; j < PANEL; j++) {
        let all = a * sums[j]
        if (b !== 0) all += b * x[at + j]
        if (c !== 0) all += c * out[at + j]
        out[at + j] = all
      }
    }
  }

  gram({ data: x }: Panel, { data: y }: Panel): Float64Array {
    const out = new Float64Array(PANEL * PANEL)
    for (let from = 0; from < x.length; from += CHUNK * PANEL) {
      const to = Math.min(x.length, from + CHUNK * PANEL)
      for (let a = 0; a < PANEL; a++) {
        for (let b = 0; b < PANEL; b += 4) {
          let s0 = 0
          let s1 = 0
          let s2 = 0
          let s3 = 0
          for (let row = from; row < to; row += PANEL) {
            const value = x[row + a]
            s0 += value * y[row + b]
            s1 += value * y[row + b + 1]
            s2 += value * y[row + b + 2]
            s3 += value * y[row + b + 3]
          }
          const at = a * PANEL + b
          out[at] += s0
          out[at + 1] += s1
          out[at + 2] += s2
          out[at + 3] += s3
        }
      }
    }
    return out
  }

  add({ data: out }: Panel, { data: x }: Panel, g: Float64Array): void {
    for (let row = 0; row < out.length; row += PANEL) {
      for (let b = 0; b < PANEL; b += 4) {
        let s0 = out[row + b]
        let s1 = out[row + b + 1]
        let s2 = out[row + b + 2]
        let s3 = out[row + b + 3]
        for (let a = 0; a < PANEL; a++) {
          const value = x[row + a]
          const at = a * PANEL + b
          s0 += value * g[at]
          s1 += value * g[at + 1]
          s2 += value * g[at + 2]
          s3 += value * g[at + 3]
        }
        out[row + b] = s0
        out[row + b + 1] = s1
        out[row + b + 2] = s2
        out[row + b + 3] = s3
      }
    }
  }

  [Symbol.dispose](): void {
    this.#free.length = 0
  }
}
