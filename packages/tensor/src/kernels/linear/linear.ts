import { record } from '../../autodiff/tape.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { sameShape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkRank } from '../check.ts'
import { outerProduct, product } from '../matmul/product.ts'
import { kernelsOf } from '../table.ts'

/** x·Wᵀ, or `residual` + x·Wᵀ with the sum in the same pass. x [..., T, C] · weight [N, C] → [..., T, N];
 *  `residual` has the shape of the result. The bits are those of add(residual, matmul(x, weight, 'nt')).
 *  Throws ShapeError if the shapes do not fit. */
export function linear(x: Tensor, weight: Tensor, residual?: Tensor): Tensor {
  checkInputs('linear', x, weight)
  if (!residual) {
    const out = product('nt', x, weight)
    return record('linear', [x, weight], out, (dOut, wanted) => gradients(x, weight, dOut, wanted))
  }
  checkDevice('linear', x, residual)
  const shape = [...x.shape.slice(0, -1), weight.shape[0]]
  if (!sameShape(residual.shape, shape))
    throw new ShapeError(`linear: residual must be ${shapeText(shape)}, got ${shapeText(residual.shape)}`)
  const out = product('nt', x, weight, { kind: 'add', residual: residual.handle })
  return record('linear', [x, weight, residual], out, (dOut, wanted) => [
    ...gradients(x, weight, dOut, wanted),
    wanted[2] ? dOut.view() : null,
  ])
}

/** relu(x·Wᵀ)² with the activation in the same pass; x·Wᵀ is not kept. x [..., T, C] · weight [N, C] → [...,
 *  T, N]. The bits are those of reluSquared(matmul(x, weight, 'nt')). Throws ShapeError if the shapes do not
 *  fit. */
export function linearReluSquared(x: Tensor, weight: Tensor): Tensor {
  checkInputs('linearReluSquared', x, weight)
  const out = product('nt', x, weight, { kind: 'reluSquared' })
  return record('linearReluSquared', [x, weight], out, (dOut, wanted) => {
    using dProduct = x.device.empty(out.shape)
    kernelsOf(x.device).reluSquaredGrad(out.handle, dOut.handle, dProduct.handle, out.size)
    return gradients(x, weight, dProduct, wanted)
  })
}

function checkInputs(op: string, x: Tensor, weight: Tensor): void {
  checkDevice(op, x, weight)
  checkRank(op, 'x', x, 2)
  if (weight.rank !== 2 || weight.shape[1] !== x.shape[x.rank - 1])
    throw new ShapeError(
      `${op}: weight must be [outputs, ${x.shape[x.rank - 1]}] for x ${shapeText(x.shape)}, got ${shapeText(weight.shape)}`,
    )
}

/** dX = dOut · W and dW = dOutᵀ · x. */
const gradients = (x: Tensor, weight: Tensor, dOut: Tensor, [wantX, wantWeight]: readonly boolean[]) => [
  wantX ? product('nn', dOut, weight) : null,
  wantWeight ? outerProduct(dOut, x, weight.rank) : null,
]
