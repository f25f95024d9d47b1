/** The builds of a package's kernels, base64, as tools/build/wasm.mjs generates them. */
export interface WasmSource {
  readonly plain: string
  readonly relaxed: string
  /** Those kernels that have a form for 256-bit registers, with relaxed SIMD. Same bits. */
  readonly wide?: string
}

/** What `device.info` and profiles call a build. */
export const BUILD_NAMES: Readonly<Record<keyof WasmSource, string>> = {
  plain: 'simd',
  relaxed: 'relaxed-simd',
  wide: 'wide-simd',
}

export type WasmFunction = (...args: number[]) => unknown

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text)
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
}
