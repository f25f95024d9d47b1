import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkDType, checkRank } from '../check.ts'
import type { Epilogue } from './epilogue.ts'
import type { Layout } from './layout.ts'
import { outerProduct, product, sumBatch } from './product.ts'

/** Sizes of one product: batch × ([M, K] · [K, N]). */
export interface MatmulSizes {
  readonly batch: number
  readonly m: number
  readonly n: number
  readonly k: number
  /** Elements from one matrix of the batch to the next; 0 shares one matrix. */
  readonly strideA: number
  readonly strideB: number
  /** Add to what is in out. Parts of k, all multiples of 8, done one after the other have the bits of one product, but for dots:
   *  with at most 16 rows or columns of C, and k the fast axis of the other operand, they are rounded one by one, and so they are by a
   *  library (`cpu({ gemm })`). */
  readonly accumulate?: boolean
  /** Done to the elements once they are summed, with the bits of a pass of its own. */
  readonly epilogue?: Epilogue
}

/** out[b] = op(A[b]) · op(B[b]), added to what was there with `accumulate`, then the epilogue; out is contiguous [batch, M, N]. */
export type MatmulKernel = (layout: Layout, a: Handle, b: Handle, out: Handle, sizes: MatmulSizes) => void

/** Matrix product over the last two axes. a [..., M, K] · b [..., K, N] → [..., M, N] for layout `nn`; `nt` reads b as
 *  [..., N, K] and `tn` a as [..., K, M]. Leading axes must be equal, or absent in one operand, which is then shared. */
export function matmul(a: Tensor, b: Tensor, layout: Layout = 'nn'): Tensor {
  checkDevice('matmul', a, b)
  checkDType('matmul', 'a', a, 'f32')
  checkDType('matmul', 'b', b, 'f32')
  checkRank('matmul', 'a', a, 2)
  checkRank('matmul', 'b', b, 2)
  const out = product(layout, a, b)
  return record(`matmul ${layout}`, [a, b], out, (dOut, [wantA, wantB]) => {
    switch (layout) {
      case 'nn': // dA = dOut · Bᵀ, dB = Aᵀ · dOut
        return [
          wantA ? sumBatch(product('nt', dOut, b), a.rank) : null,
          wantB ? outerProduct(a, dOut, b.rank) : null,
        ]
      case 'nt': // dA = dOut · B, dB = dOutᵀ · A
        return [
          wantA ? sumBatch(product('nn', dOut, b), a.rank) : null,
          wantB ? outerProduct(dOut, a, b.rank) : null,
        ]
      case 'tn': // dA = B · dOutᵀ, dB = A · dOut
        return [
          wantA ? sumBatch(product('nt', b, dOut), a.rank) : null,
          wantB ? sumBatch(product('nn', a, dOut), b.rank) : null,
        ]
    }
  })
}
