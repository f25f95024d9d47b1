/** `WebAssembly.Memory` where the platform's types declare it. Node's types do not: there our declarations must compile too. */
export type WasmMemory = typeof globalThis extends { WebAssembly: { Memory: { prototype: infer Memory } } }
  ? Memory
  : { readonly buffer: ArrayBufferLike }
