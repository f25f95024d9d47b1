import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { type Shape, sameShape, sizeOf } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkRank } from '../check.ts'
import { kernelsOf } from '../table.ts'
import type { Epilogue } from './epilogue.ts'

/** Which operand is stored transposed: nn A·B, nt A·Bᵀ (B is [N, K]), tn Aᵀ·B (A is [K, M]). */
export type Layout = 'nn' | 'nt' | 'tn'

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

const matrixOf = (shape: Shape, transposed: boolean): [number, number] => {
  const [rows, cols] = shape.slice(-2)
  return transposed ? [cols, rows] : [rows, cols]
}

function product(layout: Layout, a: Tensor, b: Tensor): Tensor {
  const [m, k] = matrixOf(a.shape, layout === 'tn')
  const [kB, n] = matrixOf(b.shape, layout === 'nt')
  const batchA = a.shape.slice(0, -2)
  const batchB = b.shape.slice(0, -2)
  const shared = batchA.length === 0 || batchB.length === 0
  if (k !== kB || !(shared || sameShape(batchA, batchB)))
    throw new ShapeError(
      `matmul ${layout}: inner axes must be equal, and batch axes equal or absent in one operand, got ${shapeText(a.shape)} and ${shapeText(b.shape)}`,
    )
  const batch = batchA.length > 0 ? batchA : batchB
  const out = a.device.empty([...batch, m, n])
  // A batch against one shared right matrix is a single tall product.
  const tall = layout !== 'tn' && batchB.length === 0
  kernelsOf(a.device).matmul(layout, a.handle, b.handle, out.handle, {
    batch: tall ? 1 : sizeOf(batch),
    m: tall ? sizeOf(batch) * m : m,
    n,
    k,
    strideA: batchA.length === 0 ? 0 : m * k,
    strideB: batchB.length === 0 ? 0 : n * k,
  })
  return out
}

/** Gradient of an operand that was shared by the batch: the products of all matrices add up. */
function sumBatch(x: Tensor, rank: number): Tensor {
  if (x.rank === rank) return x
  const { device } = x
  const batch = sizeOf(x.shape.slice(0, -2))
  const out = device.empty(x.shape.slice(-2))
  kernelsOf(device).reduce('sum', x.handle, out.handle, 1, batch, out.size)
  return out
}

const rowsOfBatch = (x: Tensor): Tensor => x.view([sizeOf(x.shape.slice(0, -1)), x.shape[x.rank - 1]])

/** dW of a tall product x·W or x·Wᵀ is one product over all rows of the batch; any other pair is a batch of products. */
function outerProduct(a: Tensor, b: Tensor, rank: number): Tensor {
  if (rank === 2 && a.rank > 2 && b.rank > 2) return product('tn', rowsOfBatch(a), rowsOfBatch(b))
  return sumBatch(product('tn', a, b), rank)
}

/** Matrix product over the last two axes. a [..., M, K] · b [..., K, N] → [..., M, N] for layout `nn`; `nt` reads b as
 *  [..., N, K] and `tn` a as [..., K, M]. Leading axes must be equal, or absent in one operand, which is then shared. */
export function matmul(a: Tensor, b: Tensor, layout: Layout = 'nn'): Tensor {
  checkDevice('matmul', a, b)
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
