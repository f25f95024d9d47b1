/** A gate that can pause a run. It is open at first. While it is closed, `pass` waits until it is opened. */
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
