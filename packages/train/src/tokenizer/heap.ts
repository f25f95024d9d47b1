/** A binary heap. `pop` returns the entry that precedes all others by `precedes`. */
export class Heap<T> {
  readonly #entries: T[] = []
  readonly #precedes: (a: T, b: T) => boolean

  constructor(precedes: (a: T, b: T) => boolean) {
    this.#precedes = precedes
  }

  push(entry: T): void {
    const entries = this.#entries
    let hole = entries.length
    entries.push(entry)
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      if (!this.#precedes(entry, entries[parent])) break
      entries[hole] = entries[parent]
      hole = parent
    }
    entries[hole] = entry
  }

  pop(): T | undefined {
    const entries = this.#entries
    const top = entries[0]
    const last = entries.pop()
    if (last === undefined || entries.length === 0) return top
    let hole = 0
    for (;;) {
      let child = 2 * hole + 1
      if (child >= entries.length) break
      if (child + 1 < entries.length && this.#precedes(entries[child + 1], entries[child])) child++
      if (!this.#precedes(entries[child], last)) break
      entries[hole] = entries[child]
      hole = child
    }
    entries[hole] = last
    return top
  }
}
