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
  /** Adds to the contents of out.
   *  If k is split into parts whose sizes are multiples of 8, accumulating them one after the other gives the
   *  bits of one product, with two exceptions. Dot products round each part: these are products with at most
   *  16 rows or columns of C where k is the fast axis of the other operand. A library (`cpu({ gemm })`)
   *  rounds each part too. */
  readonly accumulate?: boolean
  /** Applied to the finished elements, with the bits of a separate pass. */
  readonly epilogue?: Epilogue
}

/** out[b] = op(A[b]) · op(B[b]), then the epilogue. With `accumulate`, the product is added to the contents
 *  of out. out is contiguous [batch, M, N]. */
export type MatmulKernel = (layout: Layout, a: Handle, b: Handle, out: Handle, sizes: MatmulSizes) => void

/** Matrix product over the last two axes: a [..., M, K] · b [..., K, N] → [..., M, N]. Layout `nt` reads b as
 *  [..., N, K], and `tn` reads a as [..., K, M]. Leading axes must be equal, or one operand has none and is
 *  shared by the batch. */
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
