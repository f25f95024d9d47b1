import { wasmModule } from '../backends/cpu/wasm-module.ts'

/** This package's kernels of the cpu backend. */
export const tensorWasm = /* @__PURE__ */ wasmModule('@tau/tensor', {
  plain: () => import('../generated/plain.ts'),
  relaxed: () => import('../generated/relaxed.ts'),
  wide: () => import('../generated/wide.ts'),
})
