import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { choose } from '../compare/choose.ts'
import { kernelsOf } from '../table.ts'
import { neg, square } from '../unary/unary.ts'
import type { Loops } from './broadcast.ts'
import {
  checkOperands,
  type Operand,
  type OperandGradient,
  overOperands,
  recordOperands,
  sumTo,
} from './operands.ts'

/** Elementwise functions of two arguments. `powSlopeX` and `powSlopeY` are the derivatives of `pow`. */
export const BINARY_OPS = [
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'minimum',
  'pow',
  'powSlopeX',
  'powSlopeY',
] as const
export type BinaryOp = (typeof BINARY_OPS)[number]

/** out(i) = op(a(i), b(i)) over four loops; out is contiguous. */
export type BinaryKernel = (op: BinaryOp, a: Handle, b: Handle, out: Handle, loops: Loops) => void

/** op(a, b), broadcast; no tape records it. */
const compute = (op: BinaryOp, a: Operand, b: Operand): Tensor =>
  overOperands(op, [a, b], (device, [handleA, handleB], out, loops) =>
    kernelsOf(device).binary(op, handleA, handleB, out, loops),
  )

function binary(
  op: BinaryOp,
  a: Operand,
  b: Operand,
  gradientA: OperandGradient,
  gradientB: OperandGradient,
): Tensor {
  checkOperands(op, [a, b], 'f32')
  return recordOperands(op, [a, b], compute(op, a, b), [gradientA, gradientB])
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

/** The larger of a and b, elementwise and broadcast; NaN if either is NaN. If both are equal, each gets half
 *  of the gradient, as in PyTorch and JAX. If one is NaN, neither gets any gradient. */
export function maximum(a: Operand, b: Operand): Tensor {
  return binary(
    'maximum',
    a,
    b,
    (dOut) => sumTo(compute('mul', dOut, shareOfLarger(a, b)), a),
    (dOut) => sumTo(compute('mul', dOut, shareOfLarger(b, a)), b),
  )
}

/** The smaller of a and b, elementwise and broadcast. NaN and equal operands are treated as in
 *  {@link maximum}. */
export function minimum(a: Operand, b: Operand): Tensor {
  return binary(
    'minimum',
    a,
    b,
    (dOut) => sumTo(compute('mul', dOut, shareOfLarger(b, a)), a),
    (dOut) => sumTo(compute('mul', dOut, shareOfLarger(a, b)), b),
  )
}

/** 1 where a > b, ½ where they are equal, else 0. */
const shareOfLarger = (a: Operand, b: Operand): Tensor => choose('maximum', b, a, [1, 0.5, 0])

/** x^y, elementwise and broadcast. The cpu backend computes in f64 and rounds once. y = 2 is {@link square}.
 *  The rules are those of C and PyTorch: x⁰ = 1 and 1^y = 1, also for NaN. A negative x to a power that is
 *  not whole is NaN.
 *  dX = dOut · y·x^(y−1), 0 for y = 0. dY = dOut · x^y·log x; 0 for x = 0 and y ≥ 0; NaN for x < 0. */
export function pow(x: Operand, y: Operand): Tensor {
  if (y === 2 && typeof x !== 'number') return square(x)
  return binary(
    'pow',
    x,
    y,
    (dOut) => sumTo(compute('mul', dOut, compute('powSlopeX', x, y)), x),
    (dOut) => sumTo(compute('mul', dOut, compute('powSlopeY', x, y)), y),
  )
}
