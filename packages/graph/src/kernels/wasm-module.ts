import type { WasmSource } from '@tau/tensor'
import { plain, relaxed, wide } from '../generated/wasm.ts'

/** This package's kernels as compiled by tools/build/wasm.mjs. What is f64 has no fused multiply-add in any build. */
export const graphWasm: WasmSource = { plain, relaxed, wide }
