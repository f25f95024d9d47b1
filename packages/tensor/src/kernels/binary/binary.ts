import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { DTypeError } from '../../errors.ts'
import { broadcastShapes, sameShape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkDType } from '../check.ts'
import { sum } from '../reduce/reduce.ts'
import { reshape } from '../reshape/reshape.ts'
import { kernelsOf } from '../table.ts'
import { neg } from '../unary/unary.ts'
import { broadcastLoops, contiguousLoops, type Loops } from './broadcast.ts'
import { broadcastTo } from './broadcast-to.ts'

/** Elementwise functions of two arguments. */
export const BINARY_OPS = ['add', 'sub', 'mul', 'div'] as const
export type BinaryOp = (typeof BINARY_OPS)[number]

/** out(i) = op(a(i), b(i)) over the four loops; out is contiguous. */
export type BinaryKernel = (op: BinaryOp, a: Handle, b: Handle, out: Handle, loops: Loops) => void

/** A tensor, or a number that stands for a scalar. */
export type Operand = Tensor | number

/** op(a, b), broadcast; no tape sees it. */
function compute(op: BinaryOp, a: Operand, b: Operand): Tensor {
  if (typeof a !== 'number') {
    if (typeof b !== 'number') return computeTensors(op, a, b)
    using scalar = a.device.scalar(b)
    return computeTensors(op, a, scalar)
  }
  if (typeof b === 'number')
    throw new DTypeError(`${op}: one operand must be a tensor, got ${a} and ${b}; numbers need no operation`)
  using scalar = b.device.scalar(a)
  return computeTensors(op, scalar, b)
}

function computeTensors(op: BinaryOp, a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes(op, a.shape, b.shape)
  const out = a.device.empty(shape)
  const loops = broadcastLoops(a.shape, b.shape, shape)
  if (loops) {
    kernelsOf(a.device).binary(op, a.handle, b.handle, out.handle, loops)
    return out
  }
  // More than four loops are rare enough to write out both operands first.
  using wideA = broadcastTo(a, shape)
  using wideB = broadcastTo(b, shape)
  kernelsOf(a.device).binary(op, wideA.handle, wideB.handle, out.handle, contiguousLoops(out.size))
  return out
}

/** From the gradient of the result to that of one operand, in the operand's shape. */
type Gradient = (dOut: Tensor) => Tensor

function binary(op: BinaryOp, a: Operand, b: Operand, gradientA: Gradient, gradientB: Gradient): Tensor {
  const inputs: Tensor[] = []
  const gradients: Gradient[] = []
  for (const [operand, gradient] of [
    [a, gradientA],
    [b, gradientB],
  ] as const) {
    if (typeof operand === 'number') continue
    checkDType(op, 'an operand that is no number', operand, 'f32')
    inputs.push(operand)
    gradients.push(gradient)
  }
  if (inputs.length === 2) checkDevice(op, inputs[0], inputs[1])
  return record(op, inputs, compute(op, a, b), (dOut, wanted) =>
    gradients.map((gradient, i) => (wanted[i] ? gradient(dOut) : null)),
  )
}

/** Sums the axes along which an operand was broadcast: the gradient of broadcasting. Returns a new tensor or a view. */
function sumTo(x: Tensor, operand: Operand): Tensor {
  const shape = typeof operand === 'number' ? [] : operand.shape
  if (sameShape(x.shape, shape)) return x.view()
  const lead = x.rank - shape.length
  const axes = x.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []))
  return reshape(sum(x, axes), shape)
}

/** a + b, broadcast. */
export function add(a: Operand, b: Operand): Tensor {
  return binary(
    'add',
    a,
    b,
    (dOut) => sumTo(dOut, a),
    (dOut) => sumTo(dOut, b),
  )
}

/** a − b, broadcast. */
export function sub(a: Operand, b: Operand): Tensor {
  return binary(
    'sub',
    a,
    b,
    (dOut) => sumTo(dOut, a),
    (dOut) => neg(sumTo(dOut, b)),
  )
}

/** a · b elementwise, broadcast. */
export function mul(a: Operand, b: Operand): Tensor {
  return binary(
    'mul',
    a,
    b,
    (dOut) => sumTo(compute('mul', dOut, b), a),
    (dOut) => sumTo(compute('mul', dOut, a), b),
  )
}

/** a / b elementwise, broadcast. dB = −dOut · a / b². */
export function div(a: Operand, b: Operand): Tensor {
  return binary(
    'div',
    a,
    b,
    (dOut) => sumTo(compute('div', dOut, b), a),
    (dOut) => neg(sumTo(compute('div', compute('mul', dOut, a), compute('mul', b, b)), b)),
  )
}

/** x · factor. */
export const scale = (x: Tensor, factor: number): Tensor => mul(x, factor)
