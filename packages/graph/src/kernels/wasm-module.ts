import { wasmModule } from '@tau/tensor/kernel'

/** This package's kernels of the cpu backend. f64 kernels have no fused multiply-add in any build. */
export const graphWasm = /* @__PURE__ */ wasmModule('@tau/graph', {
  plain: () => import('../generated/plain.ts'),
  relaxed: () => import('../generated/relaxed.ts'),
  wide: () => import('../generated/wide.ts'),
})
