import type { Handle } from '../../backends/engine.ts'
import type { AccumulateKernel } from '../accumulate/accumulate.ts'
import type { ReluSquaredKernel } from '../relu-squared/relu-squared.ts'

/** What is done to every element of a product: `add` a matrix of its shape, or max(·, 0)². */
export type Epilogue = { readonly kind: 'add'; readonly residual: Handle } | { readonly kind: 'reluSquared' }

/** Applies an epilogue to a product of n elements, where it lies. */
export type ApplyEpilogue = (epilogue: Epilogue, product: Handle, n: number) => void

/** In a pass of its own, with the same bits: for products that have none built in. */
export const composedEpilogue =
  (accumulate: AccumulateKernel, reluSquared: ReluSquaredKernel): ApplyEpilogue =>
  (epilogue, product, n) => {
    if (epilogue.kind === 'add') accumulate(product, epilogue.residual, 1, n)
    else reluSquared(product, product, n)
  }
