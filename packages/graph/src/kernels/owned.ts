/** Holds things and disposes of them when it is disposed of, the last one first. */
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
