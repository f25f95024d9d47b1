import type { WasmSource } from '@tau/tensor'
import { plain, relaxed } from '../generated/wasm.ts'

/** This package's kernels as compiled by tools/build/wasm.mjs. */
export const graphWasm: WasmSource = { plain, relaxed }
