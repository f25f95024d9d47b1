import type { Handle } from '@tau/tensor/kernel'
import { panelGram } from '../generated/constants.ts'

/** Columns of a panel: one row of it is a cache line. */
export const PANEL = 8

/** Rows whose products are summed before they join the total. */
export const { CHUNK } = panelGram

/** Eight vectors side by side: [n, 8] f64, row-major. */
export interface Panel {
  readonly data: Float64Array
  readonly handle: Handle
}

/** Panels over the rows of one square sparse matrix m [n, n], and what an eigensolver does with them. The two implementations, JavaScript
 *  and WebAssembly on any number of threads, give the same bits. */
export interface PanelSpace extends Disposable {
  readonly size: number
  /** A panel with unknown content. */
  take(): Panel
  /** Makes the panel free for the next `take`. */
  give(panel: Panel): void
  /** out ← a·(m·x) + b·x + c·out; a term whose factor is 0 is not read */
  step(x: Panel, out: Panel, a: number, b: number, c: number): void
  /** xᵀ·y [8, 8] */
  gram(x: Panel, y: Panel): Float64Array
  /** out += x·g with g [8, 8] */
  add(out: Panel, x: Panel, g: Float64Array): void
}
