/** What the WebAssembly engine of this runtime can do. */

// () → v128: i32.const 1; i8x16.splat, three times; f32x4.relaxed_madd
const RELAXED_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 1, 253, 15, 65, 1, 253, 15, 65, 1, 253, 15, 253, 133, 2, 11],
)

export const hasRelaxedSimd = (): boolean => WebAssembly.validate(RELAXED_PROBE)

/** False in pages that are not cross-origin isolated: they have shared memory but cannot send it to a
 *  worker. */
export const canShareMemory = (): boolean =>
  typeof SharedArrayBuffer !== 'undefined' &&
  (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false

export const hardwareThreads = (): number => Math.max(1, globalThis.navigator?.hardwareConcurrency ?? 1)
