/** `WebAssembly.Memory` if the platform's types declare it. Node's types do not, and our declarations must
 *  compile there too. */
export type WasmMemory = typeof globalThis extends { WebAssembly: { Memory: { prototype: infer Memory } } }
  ? Memory
  : { readonly buffer: ArrayBufferLike }
