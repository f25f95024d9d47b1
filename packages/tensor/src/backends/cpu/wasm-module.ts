/** The builds of a package's kernels, base64, as tools/build/wasm.mjs generates them. */
export interface WasmSource {
  readonly plain: string
  readonly relaxed: string
  /** Those kernels that have a form for 256-bit registers, with relaxed SIMD. Same bits. */
  readonly wide?: string
}

export type WasmFunction = (...args: number[]) => unknown

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text)
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
}
