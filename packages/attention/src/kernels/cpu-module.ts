import { wasmModule } from '@tau/tensor/kernel'

/** This package's kernels of the cpu backend. */
export const attentionWasm = /* @__PURE__ */ wasmModule('@tau/attention', {
  plain: () => import('../generated/plain.ts'),
  relaxed: () => import('../generated/relaxed.ts'),
})
