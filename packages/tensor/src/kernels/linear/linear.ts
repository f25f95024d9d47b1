import { record } from '../../autodiff/tape.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { sameShape, sizeOf } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkRank } from '../check.ts'
import type { Epilogue } from '../matmul/epilogue.ts'
import { kernelsOf } from '../table.ts'

/** x·Wᵀ, or `residual` + x·Wᵀ without a pass for the sum: x [..., C] · weight [N, C] → [..., N], the shape of `residual`.
 *  The bits are those of add(residual, matmul(x, weight, 'nt')). Throws ShapeError where the shapes do not fit. */
export function linear(x: Tensor, weight: Tensor, residual?: Tensor): Tensor {
  checkInputs('linear', x, weight)
  if (residual) {
    checkDevice('linear', x, residual)
    if (!sameShape(residual.shape, outShape(x, weight)))
      throw new ShapeError(
        `linear: residual must be ${shapeText(outShape(x, weight))}, got ${shapeText(residual.shape)}`,
      )
  }
  const out = forward(x, weight, residual && { kind: 'add', residual: residual.handle })
  const inputs = residual ? [x, weight, residual] : [x, weight]
  return record('linear', inputs, out, (dOut, [wantX, wantWeight, wantResidual]) => [
    ...backward(x, weight, dOut, wantX, wantWeight),
    wantResidual ? dOut.view() : null,
  ])
}

/** relu(x·Wᵀ)² without a pass for the activation, and nothing kept of x·Wᵀ: x [..., C] · weight [N, C] → [..., N].
 *  The bits are those of reluSquared(matmul(x, weight, 'nt')). Throws ShapeError where the shapes do not fit. */
export function linearReluSquared(x: Tensor, weight: Tensor): Tensor {
  checkInputs('linearReluSquared', x, weight)
  const out = forward(x, weight, { kind: 'reluSquared' })
  return record('linearReluSquared', [x, weight], out, (dOut, [wantX, wantWeight]) => {
    using dProduct = x.device.empty(out.shape)
    kernelsOf(x.device).reluSquaredGrad(out.handle, dOut.handle, dProduct.handle, out.size)
    return backward(x, weight, dProduct, wantX, wantWeight)
  })
}

function checkInputs(op: string, x: Tensor, weight: Tensor): void {
  checkDevice(op, x, weight)
  checkRank(op, 'x', x, 1)
  if (weight.rank !== 2 || weight.shape[1] !== x.shape[x.rank - 1])
    throw new ShapeError(
      `${op}: weight must be [outputs, ${x.shape[x.rank - 1]}] for x ${shapeText(x.shape)}, got ${shapeText(weight.shape)}`,
    )
}

const outShape = (x: Tensor, weight: Tensor): number[] => [...x.shape.slice(0, -1), weight.shape[0]]

/** Sizes of the one tall product that a batch of rows makes. */
function sizesOf(x: Tensor, weight: Tensor) {
  const [n, k] = weight.shape
  return { rows: sizeOf(x.shape.slice(0, -1)), n, k }
}

const single = { batch: 1, strideA: 0, strideB: 0 }

function forward(x: Tensor, weight: Tensor, epilogue: Epilogue | undefined): Tensor {
  const { rows, n, k } = sizesOf(x, weight)
  const out = x.device.empty(outShape(x, weight))
  const sizes = { ...single, m: rows, n, k, ...(epilogue && { epilogue }) }
  kernelsOf(x.device).matmul('nt', x.handle, weight.handle, out.handle, sizes)
  return out
}

/** dX = dOut · W and dW = dOutᵀ · x. */
function backward(x: Tensor, weight: Tensor, dOut: Tensor, wantX: boolean, wantWeight: boolean) {
  const { rows, n, k } = sizesOf(x, weight)
  const kernels = kernelsOf(x.device)
  const dX = wantX ? x.device.empty(x.shape) : null
  if (dX) kernels.matmul('nn', dOut.handle, weight.handle, dX.handle, { ...single, m: rows, n: k, k: n })
  const dWeight = wantWeight ? x.device.empty(weight.shape) : null
  if (dWeight) kernels.matmul('tn', dOut.handle, x.handle, dWeight.handle, { ...single, m: n, n: k, k: rows })
  return [dX, dWeight]
}
