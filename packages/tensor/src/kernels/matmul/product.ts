import { ShapeError, shapeText } from '../../errors.ts'
import { type Shape, sameShape, sizeOf } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { kernelsOf } from '../table.ts'
import type { Epilogue } from './epilogue.ts'
import type { Layout } from './layout.ts'

const matrixOf = (shape: Shape, transposed: boolean): [number, number] => {
  const [rows, cols] = shape.slice(-2)
  return transposed ? [cols, rows] : [rows, cols]
}

/** op(A)·op(B) over the last two axes, then the epilogue. Throws ShapeError if the operands do not fit. */
export function product(layout: Layout, a: Tensor, b: Tensor, epilogue?: Epilogue): Tensor {
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
  // A batch times one shared right matrix is a single tall product.
  const tall = layout !== 'tn' && batchB.length === 0
  kernelsOf(a.device).matmul(layout, a.handle, b.handle, out.handle, {
    batch: tall ? 1 : sizeOf(batch),
    m: tall ? sizeOf(batch) * m : m,
    n,
    k,
    strideA: batchA.length === 0 ? 0 : m * k,
    strideB: batchB.length === 0 ? 0 : n * k,
    ...(epilogue && { epilogue }),
  })
  return out
}

/** Gradient of an operand that the batch shares: the sum of the products of all matrices. */
export function sumBatch(x: Tensor, rank: number): Tensor {
  if (x.rank === rank) return x
  const { device } = x
  const batch = sizeOf(x.shape.slice(0, -2))
  const out = device.empty(x.shape.slice(-2))
  kernelsOf(device).reduce('sum', x.handle, out.handle, 1, batch, out.size)
  return out
}

const rowsOfBatch = (x: Tensor): Tensor => x.view([sizeOf(x.shape.slice(0, -1)), x.shape[x.rank - 1]])

/** dW of a tall product x·W or x·Wᵀ is one product over all rows of the batch; any other pair is a batch of products. */
export function outerProduct(a: Tensor, b: Tensor, rank: number): Tensor {
  if (rank === 2 && a.rank > 2 && b.rank > 2) return product('tn', rowsOfBatch(a), rowsOfBatch(b))
  return sumBatch(product('tn', a, b), rank)
}
