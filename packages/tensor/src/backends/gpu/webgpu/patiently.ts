/** A nap is this share of what was waited so far for the newest answer: none is late by more, and a quick one is not late at all. */
const SHARE = 1 / 20
const SHORTEST_MS = 0.05
const LONGEST_MS = 1

/** Node without a page: in pages, those of Electron too, the main thread may not sleep, and nobody asks. */
const isNode =
  typeof process === 'object' && Boolean(process.versions?.node) && typeof document === 'undefined'
/** A number that nothing changes, to sleep on. */
const still =
  isNode && typeof SharedArrayBuffer === 'function' ? new Int32Array(new SharedArrayBuffer(4)) : undefined

let waiting = 0
let since = 0
let isNapping = false

/** How an answer of the GPU is awaited. */
export type Wait = <T>(promise: Promise<T>) => Promise<T>

export const impatiently: Wait = (promise) => promise

/** Until the promise settles Node naps between the turns of its event loop: in each of them Dawn asks whether the GPU is done, and so takes a
 *  core, which is half the GPU where the driver is a program on two. Whatever else the process does gets a turn every millisecond. */
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
