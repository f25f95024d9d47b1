import { Heap } from './heap.ts'

/** A table of merges by their pair. The rank of a merge is its position in the list; the smallest rank
 *  applies first. */
export class MergeTable {
  readonly #rankOfPair = new Map<number, number>()
  readonly #merged: Int32Array
  readonly #vocabSize: number

  /** `merges` holds left, right and merged id of each rank in turn. If a pair is listed twice, its last rank
   *  counts, as in Hugging Face's libraries. */
  constructor(merges: Int32Array, vocabSize: number) {
    this.#vocabSize = vocabSize
    this.#merged = new Int32Array(merges.length / 3)
    for (let rank = 0; rank < this.#merged.length; rank++) {
      this.#rankOfPair.set(merges[3 * rank] * vocabSize + merges[3 * rank + 1], rank)
      this.#merged[rank] = merges[3 * rank + 2]
    }
  }

  /** Applies merges to the ids in `word` until none applies: the lowest rank first, and among equal ranks
   *  from the left. Works in place and returns how many ids remain. Takes O(n log n) time for n ids. */
  apply(word: Int32Array): number {
    return word.length <= SCAN_LIMIT ? this.#applyByScan(word) : this.#applyByHeap(word)
  }

  #rank(left: number, right: number): number {
    return this.#rankOfPair.get(left * this.#vocabSize + right) ?? Infinity
  }

  // Scans every pair for each merge. This is quadratic, but for words of usual length it is faster than a
  // heap.
  #applyByScan(word: Int32Array): number {
    const ranks: number[] = []
    let length = word.length
    for (let i = 0; i + 1 < length; i++) ranks.push(this.#rank(word[i], word[i + 1]))
    for (;;) {
      let best = 0
      for (let i = 1; i + 1 < length; i++) if (ranks[i] < ranks[best]) best = i
      if (length < 2 || ranks[best] === Infinity) return length
      word[best] = this.#merged[ranks[best]]
      word.copyWithin(best + 1, best + 2, length)
      ranks.splice(best, 1)
      length--
      if (best > 0) ranks[best - 1] = this.#rank(word[best - 1], word[best])
      if (best + 1 < length) ranks[best] = this.#rank(word[best], word[best + 1])
    }
  }

  // A linked list over the positions: a merge writes the left position and removes the right one. Heap keys
  // are rank · n + position, which a double holds exactly. If a pair has changed, its old key no longer has
  // the right rank and is dropped.
  #applyByHeap(word: Int32Array): number {
    const n = word.length
    const next = Int32Array.from(word, (_, i) => i + 1)
    const prev = Int32Array.from(word, (_, i) => i - 1)
    const heap = new Heap<number>((a, b) => a < b)
    const offer = (at: number) => {
      const rank = this.#rank(word[at], word[next[at]])
      if (rank !== Infinity) heap.push(rank * n + at)
    }
    for (let i = 0; i + 1 < n; i++) offer(i)
    for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
      const rank = Math.floor(key / n)
      const at = key - rank * n
      const right = next[at]
      if (word[at] < 0 || right >= n || this.#rank(word[at], word[right]) !== rank) continue
      word[at] = this.#merged[rank]
      word[right] = -1
      next[at] = next[right]
      if (next[at] < n) {
        prev[next[at]] = at
        offer(at)
      }
      if (prev[at] >= 0) offer(prev[at])
    }
    let length = 0
    for (let i = 0; i < n; i = next[i]) word[length++] = word[i]
    return length
  }
}

/** Longest word, in ids, for which merges are found by scanning. Longer words use a heap. */
export const SCAN_LIMIT = 32
