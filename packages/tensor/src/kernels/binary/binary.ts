import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { broadcastShapes, type Shape, sameShape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice } from '../check.ts'
import { sum } from '../reduce/reduce.ts'
import { reshape } from '../reshape/reshape.ts'
import { kernelsOf } from '../table.ts'
import { neg, square } from '../unary/unary.ts'
import { broadcastLoops, contiguousLoops, type Loops } from './broadcast.ts'
import { broadcastTo } from './broadcast-to.ts'

/** Elementwise functions of two arguments. */
export const BINARY_OPS = ['add', 'sub', 'mul', 'div'] as const
export type BinaryOp = (typeof BINARY_OPS)[number]

/** out(i) = op(a(i), b(i)) over the four loops; out is contiguous. */
export type BinaryKernel = (op: BinaryOp, a: Handle, b: Handle, out: Handle, loops: Loops) => void

function binary(op: BinaryOp, a: Tensor, b: Tensor): Tensor {
  checkDevice(op, a, b)
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
  return record('scale', [x], timesNumber(x, factor), (dOut) => [timesNumber(dOut, factor)])
}

function timesNumber(x: Tensor, factor: number): Tensor {
  using number = x.device.scalar(factor)
  return binary('mul', x, number)
}
