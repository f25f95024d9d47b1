/** A gate in the way of a run: open at first, and whoever comes while it is closed waits until it is opened. */
export class Gate {
  #opened: Promise<void> | undefined
  #open = () => {}

  get isClosed(): boolean {
    return this.#opened !== undefined
  }

  close(): void {
    this.#opened ??= new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
    this.#opened = undefined
  }

  async pass(): Promise<void> {
    await this.#opened
  }
}
