/** The k slots with the largest scores, best first; equal scores go to the smaller id. O(N log k). It is a
 *  heap of the best slots so far, with the worst of them at its root. */
export const bestSlots = (scores: Float64Array, ids: Float64Array, k: number): Int32Array => {
  const heap = new Int32Array(Math.min(k, scores.length))
  /** Whether slot a comes before slot b. */
  const isBetter = (a: number, b: number) =>
    scores[a] > scores[b] || (scores[a] === scores[b] && ids[a] < ids[b])
  const siftDown = (slot: number, from: number) => {
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBetter(heap[child], heap[child + 1])) child++
      if (!isBetter(slot, heap[child])) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = slot
  }
  for (let slot = 0; slot < heap.length; slot++) heap[slot] = slot
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) siftDown(heap[at], at)
  for (let slot = heap.length; slot < scores.length; slot++) {
    if (isBetter(slot, heap[0])) siftDown(slot, 0)
  }
  return heap.sort((a, b) => (isBetter(a, b) ? -1 : 1))
}
