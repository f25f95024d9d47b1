import type { WasmSource } from '../backends/cpu/wasm-module.ts'
import { plain, relaxed, wide } from '../generated/wasm.ts'

/** This package's kernels as compiled by tools/build/wasm.mjs. */
export const tensorWasm: WasmSource = { plain, relaxed, wide }
