/** One step of the device's work. It handles its own errors, because the queue cannot report them. */
export type Task = () => void | Promise<void>

/** Runs tasks one after another in the order of the calls. The first task starts after the calling code has
 *  returned. */
export class Queue {
  readonly #onIdle: () => void
  #waiting: Task[] = []
  #isRunning = false

  /** `onIdle` is called whenever no task waits any more. */
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
      // Popped, not iterated, so that the memory of a finished task can be collected at once.
      for (let task = batch.pop(); task; task = batch.pop()) {
        const pending = task()
        if (pending) await pending
      }
    }
    this.#isRunning = false
    this.#onIdle()
  }
}
