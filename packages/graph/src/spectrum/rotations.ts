import type { Watch } from '../watch.ts'

/** Columns of a panel: twice as many numbers and two factors leave no register over. */
const WIDTH = 4

/** Sweeps that wait until all are applied at once: a panel is then fetched into the cache once for them. */
const WAITING = 32

interface Sweep {
  readonly first: number
  readonly cos: Float64Array
  readonly sin: Float64Array
}

/** Rows of a matrix [n, n] that are turned in pairs, from the last to the first: kept as panels of four columns, so that a sweep walks
 *  through memory once and a row stays in registers from one rotation to the next. A third less time than row after row. */
export class RotatedRows {
  readonly #size: number
  readonly #panels: readonly Float64Array[]
  readonly #waiting: Sweep[] = []

  /** `rows` [n, n], row-major. */
  constructor(rows: Float64Array, size: number) {
    this.#size = size
    this.#panels = Array.from({ length: Math.ceil(size / WIDTH) }, (_, p) => {
      const panel = new Float64Array(size * WIDTH)
      const width = Math.min(WIDTH, size - p * WIDTH)
      for (let i = 0; i < size; i++) {
        for (let c = 0; c < width; c++) panel[i * WIDTH + c] = rows[i * size + p * WIDTH + c]
      }
      return panel
    })
  }

  /** Rotation i of a sweep turns rows first + i and first + i + 1; the last comes first. */
  add(first: number, cos: Float64Array, sin: Float64Array): void {
    this.#waiting.push({ first, cos, sin })
  }

  get isFull(): boolean {
    return this.#waiting.length >= WAITING
  }

  async flush(watch: Watch, share: number): Promise<void> {
    for (const panel of this.#panels) {
      for (const sweep of this.#waiting) turnRows(panel, sweep)
      await watch.turn(share)
    }
    this.#waiting.length = 0
  }

  row(i: number): Float64Array {
    return Float64Array.from(
      { length: this.#size },
      (_, j) => this.#panels[Math.floor(j / WIDTH)][i * WIDTH + (j % WIDTH)],
    )
  }
}

const turnRows = (panel: Float64Array, { first, cos, sin }: Sweep): void => {
  let at = (first + cos.length) * WIDTH
  let h0 = panel[at]
  let h1 = panel[at + 1]
  let h2 = panel[at + 2]
  let h3 = panel[at + 3]
  for (let i = cos.length - 1; i >= 0; i--) {
    const c = cos[i]
    const s = sin[i]
    const from = at - WIDTH
    const l0 = panel[from]
    const l1 = panel[from + 1]
    const l2 = panel[from + 2]
    const l3 = panel[from + 3]
    panel[at] = s * l0 + c * h0
    panel[at + 1] = s * l1 + c * h1
    panel[at + 2] = s * l2 + c * h2
    panel[at + 3] = s * l3 + c * h3
    h0 = c * l0 - s * h0
    h1 = c * l1 - s * h1
    h2 = c * l2 - s * h2
    h3 = c * l3 - s * h3
    at = from
  }
  panel[at] = h0
  panel[at + 1] = h1
  panel[at + 2] = h2
  panel[at + 3] = h3
}
