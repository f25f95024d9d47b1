/** Options of work that may take longer than a second. */
export interface WatchOptions {
  /** Ends the work with the signal's reason. A function that returns a promise lets events have their turn about every 50 ms, so that any
   *  of them may abort it; one that does not blocks its thread, and only `onProgress` can. */
  signal?: AbortSignal
  /** called about every 50 ms, and at the end, with the share of the work that is done, 0 to 1 */
  onProgress?: (progress: { fraction: number }) => void
}

/** Milliseconds of work after which it is told of, and events have their turn. */
const TURN_MS = 50

/** Timers, sockets, clicks: abort comes from one of them. A timer of 0 ms takes 1 in Node, and 4 in browsers. */
const eventsTurn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve)
  })

/** Tells of long work and ends it: the work calls `step`, or awaits `turn`, between its parts of some milliseconds. */
export class Watch {
  readonly #signal: AbortSignal | undefined
  readonly #onProgress: WatchOptions['onProgress']
  #last = performance.now()

  constructor({ signal, onProgress }: WatchOptions) {
    this.#signal = signal
    this.#onProgress = onProgress
    signal?.throwIfAborted()
  }

  /** Throws the signal's reason when it was aborted, here or in `onProgress`. */
  step(fraction: number): void {
    this.#signal?.throwIfAborted()
    const now = performance.now()
    if (now - this.#last < TURN_MS) return
    this.#last = now
    this.#onProgress?.({ fraction })
    this.#signal?.throwIfAborted()
  }

  /** As `step`, and lets events happen. */
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

/** Options for a part of the work, from one share of it to another. */
export const partOf = ({ signal, onProgress }: WatchOptions, from: number, to: number): WatchOptions => ({
  signal,
  onProgress: onProgress && (({ fraction }) => onProgress({ fraction: from + (to - from) * fraction })),
})
