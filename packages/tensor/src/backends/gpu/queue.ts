/** One step of the device's work. It keeps its own errors: a queue has nobody to give them to. */
export type Task = () => void | Promise<void>

/** Runs tasks one after another, in the order in which they came, after the code that queued them has returned. */
export class Queue {
  readonly #onIdle: () => void
  #waiting: Task[] = []
  #isRunning = false

  /** `onIdle` is called whenever nothing waits any more. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle
  }

  push(task: Task): void {
    this.#waiting.push(task)
    if (this.#isRunning) return
    this.#isRunning = true
    queueMicrotask(() => void this.#drain())
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.reverse()
      this.#waiting = []
      // Popped, not iterated: what a finished task held is garbage at once.
      for (let task = batch.pop(); task; task = batch.pop()) {
        const pending = task()
        if (pending) await pending
      }
    }
    this.#isRunning = false
    this.#onIdle()
  }
}
