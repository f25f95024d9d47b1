import { next, place } from './loops'
import { loadNext, splat, storeNext } from './simd'

// One exported function per operation, because the loops run slower as cases of one large function.

const ADD = 0
const SUB = 1
const MUL = 2
const DIV = 3

// @ts-ignore: decorator
@inline
function apply(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return f32x4.add(a, b)
  if (op == SUB) return f32x4.sub(a, b)
  if (op == MUL) return f32x4.mul(a, b)
  return f32x4.div(a, b)
}

/** `bytes` bytes of the innermost loop. Each operand steps by one element or stands still. */
// @ts-ignore: decorator
@inline
function run(op: i32, a: usize, b: usize, out: usize, stepA: i32, stepB: i32, bytes: usize): void {
  if (stepA != 0 && stepB != 0) {
    for (let p: usize = 0; p < bytes; p += 16)
      storeNext(out + p, apply(op, loadNext(a + p, bytes - p), loadNext(b + p, bytes - p)), bytes - p)
  } else if (stepA != 0) {
    const right = v128.load32_splat(b)
    for (let p: usize = 0; p < bytes; p += 16) storeNext(out + p, apply(op, loadNext(a + p, bytes - p), right), bytes - p)
  } else if (stepB != 0) {
    const left = v128.load32_splat(a)
    for (let p: usize = 0; p < bytes; p += 16) storeNext(out + p, apply(op, left, loadNext(b + p, bytes - p)), bytes - p)
  } else {
    const value = apply(op, v128.load32_splat(a), v128.load32_splat(b))
    for (let p: usize = 0; p < bytes; p += 16) storeNext(out + p, value, bytes - p)
  }
}

/** out(i) = op(a(i), b(i)) for elements begin … end−1 of the loops [n0, n1, n2, n3]. a0 … b3 are steps in
 *  elements. The innermost steps are 0 or 1, so contiguous, scalar and row-vector operands all become long
 *  runs. */
// @ts-ignore: decorator
@inline
function loops(
  op: i32,
  a: usize,
  b: usize,
  out: usize,
  n1: i32,
  n2: i32,
  n3: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  a3: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  b3: i32,
  begin: i32,
  end: i32,
): void {
  let i3 = begin % n3
  let rest = begin / n3
  let i2 = rest % n2
  rest /= n2
  let i1 = rest % n1
  let i0 = rest / n1
  for (let i = begin; i < end; ) {
    const length = min(n3 - i3, end - i)
    const pa = a + ((<usize>(i0 * a0 + i1 * a1 + i2 * a2 + i3 * a3)) << 2)
    const pb = b + ((<usize>(i0 * b0 + i1 * b1 + i2 * b2 + i3 * b3)) << 2)
    const po = out + ((<usize>i) << 2)
    run(op, pa, pb, po, a3, b3, (<usize>length) << 2)
    i += length
    i3 = 0
    if (++i2 == n2) {
      i2 = 0
      if (++i1 == n1) {
        i1 = 0
        i0++
      }
    }
  }
}

export function add(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  loops(ADD, a, b, out, n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end)
}

export function sub(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  loops(SUB, a, b, out, n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end)
}

export function mul(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  loops(MUL, a, b, out, n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end)
}

export function div(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  loops(DIV, a, b, out, n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end)
}

/** The larger or the smaller element; NaN if either is NaN. One loop serves both. It is slower than the loops
 *  above. */
function extremes(isMaximum: bool, a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  for (let i = begin; i < end; ) {
    const length = min(n3 - (i % n3), end - i)
    const left = place(a, i, n1, n2, n3, a0, a1, a2, a3)
    const right = place(b, i, n1, n2, n3, b0, b1, b2, b3)
    const target = out + ((<usize>i) << 2)
    const bytes = (<usize>length) << 2
    for (let p: usize = 0; p < bytes; p += 16) {
      const x = next(left, p, a3, bytes - p)
      const y = next(right, p, b3, bytes - p)
      storeNext(target + p, isMaximum ? f32x4.max(x, y) : f32x4.min(x, y), bytes - p)
    }
    i += length
  }
}

export function maximum(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  extremes(true, a, b, out, n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end)
}

export function minimum(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  extremes(false, a, b, out, n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end)
}
