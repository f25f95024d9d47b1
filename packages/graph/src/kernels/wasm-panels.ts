import type { CpuEngine, Handle, Launch } from '@tau/tensor/kernel'
import type { Csr } from '../sparse/csr.ts'
import { CHUNK, PANEL, type Panel, type PanelSpace } from './panel-space.ts'
import { ResidentCsr } from './resident-csr.ts'
import { graphWasm } from './wasm-module.ts'

const PRODUCTS = PANEL * PANEL
/** Items per tile: chunks for gram, rows for add. */
const GRAIN = { gram: 8, add: 1024 }

/** Panels in a device's memory, on its threads. */
export class WasmPanels implements PanelSpace {
  readonly size: number
  readonly #matrix: ResidentCsr
  readonly #gram: Launch
  readonly #add: Launch
  readonly #chunks: number
  readonly #partials: Handle
  readonly #factors: Handle
  readonly #free: Panel[] = []

  constructor(engine: CpuEngine, matrix: Csr) {
    this.size = matrix.nRows
    this.#matrix = new ResidentCsr(engine, matrix)
    this.#gram = engine.kernel(graphWasm, 'panelGram')
    this.#add = engine.kernel(graphWasm, 'panelAdd')
    this.#chunks = Math.ceil(this.size / CHUNK)
    this.#partials = this.#matrix.alloc(this.#chunks * PRODUCTS * 8)
    this.#factors = this.#matrix.alloc(PRODUCTS * 8)
  }

  take(): Panel {
    const free = this.#free.pop()
    if (free) return free
    const length = this.size * PANEL
    const handle = this.#matrix.alloc(length * 8)
    return { handle, data: this.#matrix.f64(handle, length) }
  }

  give(panel: Panel): void {
    this.#free.push(panel)
  }

  step(x: Panel, out: Panel, a: number, b: number, c: number): void {
    this.#matrix.step(x.handle, out.handle, PANEL, a, b, c)
  }

  gram(x: Panel, y: Panel): Float64Array {
    const panels = x === y ? 1 : 2
    this.#gram([x.handle, y.handle, this.#partials, this.size], this.#chunks, GRAIN.gram, () => ({
      flops: 2 * this.size * PRODUCTS,
      bytes: 8 * (panels * this.size * PANEL + this.#chunks * PRODUCTS),
    }))
    const partials = this.#matrix.f64(this.#partials, this.#chunks * PRODUCTS)
    const out = new Float64Array(PRODUCTS)
    for (let n = 0; n < partials.length; n++) out[n % PRODUCTS] += partials[n]
    return out
  }

  add(out: Panel, x: Panel, g: Float64Array): void {
    this.#matrix.f64(this.#factors, PRODUCTS).set(g)
    this.#add([out.handle, x.handle, this.#factors], this.size, GRAIN.add, () => ({
      flops: 2 * this.size * PRODUCTS,
      bytes: 8 * (3 * this.size * PANEL + PRODUCTS),
    }))
  }

  [Symbol.dispose](): void {
    this.#matrix[Symbol.dispose]()
  }
}
