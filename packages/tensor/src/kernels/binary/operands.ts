import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Device } from '../../device.ts'
import type { DType } from '../../dtype.ts'
import { DTypeError } from '../../errors.ts'
import { broadcastShapes, type Shape, sameShape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkDType } from '../check.ts'
import { sum } from '../reduce/reduce.ts'
import { reshape } from '../reshape/reshape.ts'
import { broadcastLoops, contiguousLoops, type Loops } from './broadcast.ts'
import { broadcastTo } from './broadcast-to.ts'

/** A tensor, or a number that stands for a scalar. */
export type Operand<D extends DType = 'f32'> = Tensor<D> | number

/** Runs a kernel over loops. `operands` are the handles in their order. */
export type LoopLaunch = (device: Device, operands: readonly Handle[], out: Handle, loops: Loops) => void

/** Maps the gradient of the result to the gradient of one operand, in the operand's shape. */
export type OperandGradient = (dOut: Tensor) => Tensor

/** Checks that operands are numbers, or tensors of one element type on one device. */
export function checkOperands(op: string, operands: readonly Operand<DType>[], dtype: DType): void {
  const tensors = operands.filter((operand) => typeof operand !== 'number')
  for (const tensor of tensors) checkDType(op, 'an operand that is not a number', tensor, dtype)
  const [first, ...rest] = tensors
  if (first) checkDevice(op, first, ...rest)
}

/** Records the result with one gradient per operand. Numbers have no gradient. */
export function recordOperands(
  op: string,
  operands: readonly Operand[],
  out: Tensor,
  gradients: readonly OperandGradient[],
): Tensor {
  const inputs: Tensor[] = []
  const own: OperandGradient[] = []
  operands.forEach((operand, i) => {
    if (typeof operand === 'number') return
    inputs.push(operand)
    own.push(gradients[i])
  })
  return record(op, inputs, out, (dOut, wanted) =>
    own.map((gradient, i) => (wanted[i] ? gradient(dOut) : null)),
  )
}

/** The f32 result of a kernel over broadcast operands of one element type. Numbers become scalars. No tape
 *  records it. */
export function overOperands<D extends DType>(
  op: string,
  operands: readonly Operand<D>[],
  launch: LoopLaunch,
): Tensor {
  const first = operands.find((operand) => typeof operand !== 'number')
  if (first === undefined)
    throw new DTypeError(
      `${op}: one operand must be a tensor, got ${operands.join(' and ')}; numbers need no operation`,
    )
  const { device, dtype } = first
  const scalars: Tensor<D>[] = []
  const tensors = operands.map((operand) => {
    if (typeof operand !== 'number') return operand
    const scalar = device.tensor([operand], [], dtype)
    scalars.push(scalar)
    return scalar
  })
  const out = overTensors(op, tensors, launch)
  for (const scalar of scalars) scalar.dispose()
  return out
}

function overTensors(op: string, tensors: readonly Tensor<DType>[], launch: LoopLaunch): Tensor {
  const [{ device }] = tensors
  const shape = tensors.map((tensor) => tensor.shape).reduce((a, b) => broadcastShapes(op, a, b))
  const shapes = tensors.map((tensor) => tensor.shape)
  const out = device.empty(shape)
  const loops = broadcastLoops(shapes, shape)
  if (loops) {
    launch(
      device,
      tensors.map(({ handle }) => handle),
      out.handle,
      loops,
    )
    return out
  }
  // More than four loops are rare, so the operands are then simply copied to the full shape first.
  const wide = tensors.map((tensor) => broadcastTo(floats(op, tensor), shape))
  launch(
    device,
    wide.map(({ handle }) => handle),
    out.handle,
    contiguousLoops(out.size, wide.length),
  )
  for (const tensor of wide) tensor.dispose()
  return out
}

/** The gradient of broadcasting: sums over the axes along which an operand was broadcast. Returns a new
 *  tensor or a view. */
export function sumTo(x: Tensor, operand: Operand): Tensor {
  const shape: Shape = typeof operand === 'number' ? [] : operand.shape
  if (sameShape(x.shape, shape)) return x.view()
  const lead = x.rank - shape.length
  const axes = x.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []))
  return reshape(sum(x, axes), shape)
}

const isFloat = (tensor: Tensor<DType>): tensor is Tensor => tensor.dtype === 'f32'

function floats(op: string, tensor: Tensor<DType>): Tensor {
  if (isFloat(tensor)) return tensor
  throw new DTypeError(
    `${op}: i32 operands must broadcast along at most four groups of axes, got ${tensor.rank} axes; reshape them`,
  )
}
