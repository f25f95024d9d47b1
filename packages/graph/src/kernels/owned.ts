/** Disposes of what it was given when it is disposed of itself, the last first. */
export class Owned implements Disposable {
  readonly #things: Disposable[] = []

  take<T extends Disposable>(thing: T): T {
    this.#things.push(thing)
    return thing
  }

  [Symbol.dispose](): void {
    while (this.#things.length > 0) this.#things.pop()?.[Symbol.dispose]()
  }
}
