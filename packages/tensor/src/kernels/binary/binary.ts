import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { broadcastShapes, sameShape, type Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice } from '../check.ts'
import { sum } from '../reduce/reduce.ts'
import { reshape } from '../reshape/reshape.ts'
import { kernelsOf } from '../table.ts'
import { neg, square } from '../unary/unary.ts'
import { broadcastLoops, type Loops } from './broadcast.ts'

/** Elementwise functions of two arguments, in the order that the kernels number them. */
export const BINARY_OPS = ['add', 'sub', 'mul', 'div'] as const
export type BinaryOp = (typeof BINARY_OPS)[number]

/** out(i) = op(a(i), b(i)) over the four loops; out is contiguous. */
export type BinaryKernel = (op: BinaryOp, a: Handle, b: Handle, out: Handle, loops: Loops) => void

function binary(op: BinaryOp, a: Tensor, b: Tensor): Tensor {
  checkDevice(op, a, b)
  const loops = broadcastLoops(op, a.shape, b.shape)
  if (!loops)
    throw new ShapeError(
      `${op}: broadcasting may alternate over at most 4 groups of axes, got ${shapeText(a.shape)} and ${shapeText(b.shape)}; reshape first`,
    )
  const out = a.device.empty(broadcastShapes(op, a.shape, b.shape))
  kernelsOf(a.device).binary(op, a.handle, b.handle, out.handle, loops)
  return out
}

/** Sums the axes along which `shape` was broadcast: the gradient of broadcasting. Returns a new tensor or a view. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x.view()
  const lead = x.rank - shape.length
  const axes = x.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []))
  return reshape(sum(x, axes), shape)
}

/** a + b, broadcast. */
export function add(a: Tensor, b: Tensor): Tensor {
  return record('add', [a, b], binary('add', a, b), (dOut, [wantA, wantB]) => [
    wantA ? sumTo(dOut, a.shape) : null,
    wantB ? sumTo(dOut, b.shape) : null,
  ])
}

/** a − b, broadcast. */
export function sub(a: Tensor, b: Tensor): Tensor {
  return record('sub', [a, b], binary('sub', a, b), (dOut, [wantA, wantB]) => [
    wantA ? sumTo(dOut, a.shape) : null,
    wantB ? neg(sumTo(dOut, b.shape)) : null,
  ])
}

/** a · b elementwise, broadcast. */
export function mul(a: Tensor, b: Tensor): Tensor {
  return record('mul', [a, b], binary('mul', a, b), (dOut, [wantA, wantB]) => [
    wantA ? sumTo(binary('mul', dOut, b), a.shape) : null,
    wantB ? sumTo(binary('mul', dOut, a), b.shape) : null,
  ])
}

/** a / b elementwise, broadcast. dB = −dOut · a / b². */
export function div(a: Tensor, b: Tensor): Tensor {
  return record('div', [a, b], binary('div', a, b), (dOut, [wantA, wantB]) => [
    wantA ? sumTo(binary('div', dOut, b), a.shape) : null,
    wantB ? neg(sumTo(binary('div', binary('mul', dOut, a), square(b)), b.shape)) : null,
  ])
}

/** x · factor. */
export function scale(x: Tensor, factor: number): Tensor {
  return mul(x, x.device.scalar(factor))
}
