/** Length of a sleep as a share of the time waited so far for the newest result. No result is late by more
 *  than this share, and a quick result is not late at all. */
const SHARE = 1 / 20
const SHORTEST_MS = 0.05
const LONGEST_MS = 1

/** Whether this is Node without a page. In pages, also in Electron's, the main thread may not sleep, and Dawn
 *  does not poll. */
const isNode =
  typeof process === 'object' && Boolean(process.versions?.node) && typeof document === 'undefined'
/** A number that never changes, to sleep on with Atomics.wait. */
const still =
  isNode && typeof SharedArrayBuffer === 'function' ? new Int32Array(new SharedArrayBuffer(4)) : undefined

let waiting = 0
let since = 0
let isNapping = false

/** How to wait for a result of the GPU. */
export type Wait = <T>(promise: Promise<T>) => Promise<T>

export const impatiently: Wait = (promise) => promise

/** Waits for a promise, and lets Node sleep between the turns of its event loop until then.
 *  In every turn Dawn asks whether the GPU is done, so it busy-waits on one core. With a software driver on
 *  two cores, that halves the GPU's speed. A sleep lasts at most 1 ms, so the other work of the process gets
 *  a turn at least that often. */
export function patiently<T>(promise: Promise<T>): Promise<T> {
  if (!still) return promise
  waiting++
  since = performance.now()
  if (!isNapping) {
    isNapping = true
    setImmediate(nap, still)
  }
  return promise.finally(() => {
    waiting--
  })
}

function nap(still: Int32Array): void {
  isNapping = waiting > 0
  if (!isNapping) return
  const ms = Math.min(LONGEST_MS, SHARE * (performance.now() - since))
  if (ms >= SHORTEST_MS) Atomics.wait(still, 0, 0, ms)
  setImmediate(nap, still)
}
