import { eventsTurn, TURN_MS } from '../watch.ts'

/** How far a search has come. */
export interface NeighbourProgress {
  /** share of the work that is done, 0 to 1 */
  fraction: number
  /** rows whose neighbours are known */
  rows: number
  /** speed so far, in rows of the whole search per second: `fraction` of all rows over the time that they took */
  rowsPerSecond: number
}

export interface PaceOptions {
  /** ends the search between two blocks, some milliseconds of work: the promise is rejected with the signal's reason */
  signal?: AbortSignal
  /** called about every 50 ms, and at the end */
  onProgress?: (progress: NeighbourProgress) => void
}

/** Lets a long computation be watched and stopped: it awaits `step` between its parts. */
export class Pace {
  readonly #rows: number
  readonly #signal: AbortSignal | undefined
  readonly #onProgress: ((progress: NeighbourProgress) => void) | undefined
  readonly #start = performance.now()
  #turn = this.#start

  constructor(rows: number, { signal, onProgress }: PaceOptions) {
    this.#rows = rows
    this.#signal = signal
    this.#onProgress = onProgress
    signal?.throwIfAborted()
  }

  /** Throws the signal's reason when it was aborted. */
  async step(fraction: number, rows: number): Promise<void> {
    if (performance.now() - this.#turn >= TURN_MS) {
      this.#report(fraction, rows)
      await eventsTurn()
      this.#turn = performance.now()
    }
    this.#signal?.throwIfAborted()
  }

  finish(): void {
    this.#report(1, this.#rows)
  }

  #report(fraction: number, rows: number): void {
    const seconds = (performance.now() - this.#start) / 1000
    this.#onProgress?.({ fraction, rows, rowsPerSecond: (fraction * this.#rows) / Math.max(seconds, 1e-6) })
  }
}
