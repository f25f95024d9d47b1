import { Watch } from './watch.ts'

/** The progress of a search. */
export interface NeighborProgress {
  /** share of the work that is done, 0 to 1 */
  fraction: number
  /** rows whose neighbours are known */
  rows: number
  /** speed so far, in rows per second: `fraction` of all rows divided by the elapsed time */
  rowsPerSecond: number
}

export interface PaceOptions {
  /** ends the search between two blocks of some milliseconds; the promise is rejected with the signal's
   *  reason */
  signal?: AbortSignal
  /** called about every 50 ms, and at the end */
  onProgress?: (progress: NeighborProgress) => void
}

/** A {@link Watch} that also reports rows and their speed. The computation awaits `step` between its
 *  parts. */
export class Pace {
  readonly #rows: number
  readonly #start = performance.now()
  readonly #watch: Watch
  #done = 0

  constructor(rows: number, { signal, onProgress }: PaceOptions) {
    this.#rows = rows
    const report =
      onProgress && (({ fraction }: { fraction: number }) => onProgress(this.#progress(fraction)))
    this.#watch = new Watch({ signal, onProgress: report })
  }

  /** Throws the signal's reason if it was aborted. */
  step(fraction: number, rows: number): Promise<void> {
    this.#done = rows
    return this.#watch.turn(fraction)
  }

  finish(): void {
    this.#done = this.#rows
    this.#watch.finish()
  }

  #progress(fraction: number): NeighborProgress {
    const seconds = (performance.now() - this.#start) / 1000
    return { fraction, rows: this.#done, rowsPerSecond: (fraction * this.#rows) / Math.max(seconds, 1e-6) }
  }
}
