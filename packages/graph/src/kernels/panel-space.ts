import type { Handle } from '@tau/tensor/kernel'
import { panelGram } from '../generated/constants.ts'

/** Columns of a panel. A row of eight f64 is one cache line. */
export const PANEL = 8

/** Rows of one partial product. */
export const { CHUNK } = panelGram

/** Eight vectors side by side: [n, 8] f64, row-major. */
export interface Panel {
  readonly data: Float64Array
  readonly handle: Handle
}

/** Panels over the rows of one square sparse matrix m [n, n], with the operations that an eigensolver needs.
 *  The two implementations are JavaScript, and WebAssembly on any number of threads. They give the same
 *  bits. */
export interface PanelSpace extends Disposable {
  readonly size: number
  /** A free panel. Its content is undefined. */
  take(): Panel
  /** Makes the panel free for the next `take`. */
  give(panel: Panel): void
  /** out ← a·(m·x) + b·x + c·out. A term with factor 0 is not read. */
  step(x: Panel, out: Panel, a: number, b: number, c: number): void
  /** xᵀ·y [8, 8] */
  gram(x: Panel, y: Panel): Float64Array
  /** out += x·g with g [8, 8] */
  add(out: Panel, x: Panel, g: Float64Array): void
}
