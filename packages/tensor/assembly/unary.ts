import { Constant, constant } from './constants'
import { gelu4, geluSlope4, geluTanh4, geluTanhSlope4, log4, sigmoid4, softplus4, tanh4 } from './math'
import { exp4, loadNext, splat, storeNext } from './simd'

// One exported function per operation, because the simple loops run at half the speed as cases of one large
// function.

const NEG = 0
const EXP = 1
const LOG = 2
const SQRT = 3
const SQUARE = 4
const ABS = 5
const RELU = 6
const SIGMOID = 7
const SILU = 8
const TANH = 9
const SOFTPLUS = 10
const RECIPROCAL = 11
const GELU = 12
const GELU_TANH = 13

// @ts-ignore: decorator
@inline
function apply(op: i32, x: v128): v128 {
  if (op == NEG) return f32x4.neg(x)
  if (op == EXP) return exp4(x)
  if (op == LOG) return log4(x)
  if (op == SQRT) return f32x4.sqrt(x)
  if (op == SQUARE) return f32x4.mul(x, x)
  if (op == ABS) return f32x4.abs(x)
  if (op == RELU) return f32x4.pmax(x, splat(0)) // keeps NaN; one instruction, while f32x4.max takes several
  if (op == SIGMOID) return sigmoid4(x)
  if (op == SILU) return f32x4.div(x, f32x4.add(constant(Constant.one), exp4(f32x4.neg(x))))
  if (op == TANH) return tanh4(x)
  if (op == SOFTPLUS) return softplus4(x)
  if (op == GELU) return gelu4(x)
  if (op == GELU_TANH) return geluTanh4(x)
  return f32x4.div(splat(1), x)
}

/** op′(x), computed from y = op(x) if that is cheaper. */
// @ts-ignore: decorator
@inline
function slope(op: i32, x: v128, y: v128): v128 {
  if (op == NEG) return splat(-1)
  if (op == EXP) return y
  if (op == LOG) return f32x4.div(splat(1), x)
  if (op == SQRT) return f32x4.div(splat(0.5), y)
  if (op == SQUARE) return f32x4.add(x, x)
  if (op == ABS) {
    const sign = v128.or(splat(1), v128.and(x, splat(-0.0)))
    return v128.and(sign, f32x4.ne(x, splat(0)))
  }
  if (op == RELU) return v128.and(splat(1), f32x4.gt(x, splat(0)))
  if (op == SIGMOID) return f32x4.mul(y, f32x4.sub(splat(1), y))
  if (op == SILU) {
    const s = sigmoid4(x) // s·(1 + x·(1 − s)) = s + y·(1 − s)
    return f32x4.add(s, f32x4.mul(y, f32x4.sub(splat(1), s)))
  }
  if (op == TANH) return f32x4.sub(splat(1), f32x4.mul(y, y))
  if (op == SOFTPLUS) return sigmoid4(x)
  if (op == GELU) return geluSlope4(x)
  if (op == GELU_TANH) return geluTanhSlope4(x)
  return f32x4.neg(f32x4.mul(y, y))
}

/** out[i] = op(x[i]) for begin ≤ i < end. Two vectors lie side by side, so that the wide build can join them.
 *  Inlined with a constant op. */
// @ts-ignore: decorator
@inline
function map(op: i32, x: usize, out: usize, begin: i32, end: i32): void {
  const stop = (<usize>end) << 2
  let p = (<usize>begin) << 2
  for (; p + 32 <= stop; p += 32) {
    const low = apply(op, v128.load(x + p))
    const high = apply(op, v128.load(x + p, 16))
    v128.store(out + p, low)
    v128.store(out + p, high, 16)
  }
  for (; p < stop; p += 16) {
    const left = stop - p
    storeNext(out + p, apply(op, loadNext(x + p, left)), left)
  }
}

// The compiler never drops a load, because a load may trap. So code must not load what the derivative does
// not use.
// @ts-ignore: decorator
@inline
function usesX(op: i32): bool {
  return op == LOG || op == SQUARE || op == ABS || op == RELU || op == SILU || op == SOFTPLUS || op == GELU || op == GELU_TANH
}

// @ts-ignore: decorator
@inline
function usesY(op: i32): bool {
  return op == EXP || op == SQRT || op == SIGMOID || op == SILU || op == TANH || op == RECIPROCAL
}

/** dX[i] = dOut[i] · op′(x[i]) for begin ≤ i < end, in the same way as {@link map}. */
// @ts-ignore: decorator
@inline
function mapGrad(op: i32, x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  const stop = (<usize>end) << 2
  let p = (<usize>begin) << 2
  for (; p + 32 <= stop; p += 32) {
    const x0 = usesX(op) ? v128.load(x + p) : splat(0)
    const x1 = usesX(op) ? v128.load(x + p, 16) : splat(0)
    const y0 = usesY(op) ? v128.load(y + p) : splat(0)
    const y1 = usesY(op) ? v128.load(y + p, 16) : splat(0)
    const low = f32x4.mul(v128.load(dOut + p), slope(op, x0, y0))
    const high = f32x4.mul(v128.load(dOut + p, 16), slope(op, x1, y1))
    v128.store(dX + p, low)
    v128.store(dX + p, high, 16)
  }
  for (; p < stop; p += 16) {
    const left = stop - p
    const x4 = usesX(op) ? loadNext(x + p, left) : splat(0)
    const y4 = usesY(op) ? loadNext(y + p, left) : splat(0)
    storeNext(dX + p, f32x4.mul(loadNext(dOut + p, left), slope(op, x4, y4)), left)
  }
}

export function neg(x: usize, out: usize, begin: i32, end: i32): void {
  map(NEG, x, out, begin, end)
}

export function exp(x: usize, out: usize, begin: i32, end: i32): void {
  map(EXP, x, out, begin, end)
}

export function log(x: usize, out: usize, begin: i32, end: i32): void {
  map(LOG, x, out, begin, end)
}

export function sqrt(x: usize, out: usize, begin: i32, end: i32): void {
  map(SQRT, x, out, begin, end)
}

export function square(x: usize, out: usize, begin: i32, end: i32): void {
  map(SQUARE, x, out, begin, end)
}

export function abs(x: usize, out: usize, begin: i32, end: i32): void {
  map(ABS, x, out, begin, end)
}

export function relu(x: usize, out: usize, begin: i32, end: i32): void {
  map(RELU, x, out, begin, end)
}

export function sigmoid(x: usize, out: usize, begin: i32, end: i32): void {
  map(SIGMOID, x, out, begin, end)
}

export function silu(x: usize, out: usize, begin: i32, end: i32): void {
  map(SILU, x, out, begin, end)
}

export function tanh(x: usize, out: usize, begin: i32, end: i32): void {
  map(TANH, x, out, begin, end)
}

export function softplus(x: usize, out: usize, begin: i32, end: i32): void {
  map(SOFTPLUS, x, out, begin, end)
}

export function reciprocal(x: usize, out: usize, begin: i32, end: i32): void {
  map(RECIPROCAL, x, out, begin, end)
}

export function gelu(x: usize, out: usize, begin: i32, end: i32): void {
  map(GELU, x, out, begin, end)
}

export function geluTanh(x: usize, out: usize, begin: i32, end: i32): void {
  map(GELU_TANH, x, out, begin, end)
}

export function negGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(NEG, x, y, dOut, dX, begin, end)
}

export function expGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(EXP, x, y, dOut, dX, begin, end)
}

export function logGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(LOG, x, y, dOut, dX, begin, end)
}

export function sqrtGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(SQRT, x, y, dOut, dX, begin, end)
}

export function squareGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(SQUARE, x, y, dOut, dX, begin, end)
}

export function absGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(ABS, x, y, dOut, dX, begin, end)
}

export function reluGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(RELU, x, y, dOut, dX, begin, end)
}

export function sigmoidGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(SIGMOID, x, y, dOut, dX, begin, end)
}

export function siluGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(SILU, x, y, dOut, dX, begin, end)
}

export function tanhGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(TANH, x, y, dOut, dX, begin, end)
}

export function softplusGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(SOFTPLUS, x, y, dOut, dX, begin, end)
}

export function reciprocalGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(RECIPROCAL, x, y, dOut, dX, begin, end)
}

export function geluGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(GELU, x, y, dOut, dX, begin, end)
}

export function geluTanhGrad(x: usize, y: usize, dOut: usize, dX: usize, begin: i32, end: i32): void {
  mapGrad(GELU_TANH, x, y, dOut, dX, begin, end)
}
