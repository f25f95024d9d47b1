import type { Handle } from '../../backends/engine.ts'
import type { AccumulateKernel } from '../accumulate/accumulate.ts'
import type { ReluSquaredKernel } from '../relu-squared/relu-squared.ts'

/** The step after a product, for each of its elements: `add` adds a matrix of the same shape; `reluSquared`
 *  is max(·, 0)². */
export type Epilogue = { readonly kind: 'add'; readonly residual: Handle } | { readonly kind: 'reluSquared' }

/** Applies an epilogue to a product of n elements, in place. */
export type ApplyEpilogue = (epilogue: Epilogue, product: Handle, n: number) => void

/** Applies an epilogue in a separate pass with the same bits, for products without a built-in epilogue. */
export const composedEpilogue =
  (accumulate: AccumulateKernel, reluSquared: ReluSquaredKernel): ApplyEpilogue =>
  (epilogue, product, n) => {
    if (epilogue.kind === 'add') accumulate(product, epilogue.residual, 1, n)
    else reluSquared(product, product, n)
  }
