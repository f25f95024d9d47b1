/** A nap is this share of what was waited so far: no answer is late by more, and a quick one is not late at all. */
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

/** The same promise. Until it settles Node naps between the turns of its event loop: in each of them Dawn asks whether the GPU is done,
 *  and so takes a core that a driver in software, or another process, could use. */
export function patiently<T>(promise: Promise<T>): Promise<T> {
  if (!still) return promise
  if (waiting++ === 0) since = performance.now()
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
