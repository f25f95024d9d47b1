/** Options of work that may take longer than a second. */
export interface WatchOptions {
  /** Ends the work with the signal's reason. A function that returns a promise lets other events run about
   *  every 50 ms, so any of them may abort the signal. A function that blocks its thread can be stopped only
   *  by `onProgress`. */
  signal?: AbortSignal
  /** called about every 50 ms, and at the end, with the share of the work that is done, 0 to 1 */
  onProgress?: (progress: { fraction: number }) => void
}

/** Milliseconds of work between two reports. Other events may run at each report. */
const TURN_MS = 50

/** Lets other events run: timers, sockets, clicks. An abort comes from one of them. setImmediate is used
 *  because a timer of 0 ms takes 1 ms in Node; it takes 4 ms in browsers. */
const eventsTurn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve)
  })

/** Reports the progress of long work and ends it at a signal. The work calls `step`, or awaits `turn`,
 *  between parts of some milliseconds. */
export class Watch {
  readonly #signal: AbortSignal | undefined
  readonly #onProgress: WatchOptions['onProgress']
  #last = performance.now()

  constructor({ signal, onProgress }: WatchOptions) {
    this.#signal = signal
    this.#onProgress = onProgress
    signal?.throwIfAborted()
  }

  /** Throws the signal's reason if it was aborted, before or in `onProgress`. */
  step(fraction: number): void {
    this.#signal?.throwIfAborted()
    const now = performance.now()
    if (now - this.#last < TURN_MS) return
    this.#last = now
    this.#onProgress?.({ fraction })
    this.#signal?.throwIfAborted()
  }

  /** Like `step`, and lets other events run. */
  async turn(fraction: number): Promise<void> {
    this.#signal?.throwIfAborted()
    if (performance.now() - this.#last < TURN_MS) return
    this.#onProgress?.({ fraction })
    await eventsTurn()
    this.#last = performance.now()
    this.#signal?.throwIfAborted()
  }

  finish(): void {
    this.#onProgress?.({ fraction: 1 })
  }
}

/** The options for a part of the work that goes from the share `from` to the share `to`. */
export const partOf = ({ signal, onProgress }: WatchOptions, from: number, to: number): WatchOptions => ({
  signal,
  onProgress: onProgress && (({ fraction }) => onProgress({ fraction: from + (to - from) * fraction })),
})
