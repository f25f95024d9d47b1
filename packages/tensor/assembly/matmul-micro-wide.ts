import { fma } from './simd'

/** Rows and columns of the block of C that {@link microKernelWide} holds in registers. */
export const MR: i32 = 6
export const NR: i32 = 16

/** The micro-kernel of matmul-micro.ts for 256-bit registers. V8's revectoriser joins vectors that lie side
 *  by side: here 24 accumulators into 12, four vectors of b into two, and every broadcast with itself.
 *  `depth` is at least 1.
 *
 *  It joins a sum only if the initial values are loaded in pairs too. It cannot join a choice between loaded
 *  values and zeros, hence the parameter `from`.
 *
 *  A round of the loop does two steps of k. V8 computes the addresses of a's six numbers in every round, and
 *  twelve FMAs leave few slots for that (128-bit FMAs leave twice as many). The exit between the two steps
 *  keeps them apart. In one block, the revectoriser mixes them and spills four accumulators. */
export function microKernelWide(
  depth: i32,
  a: usize,
  b: usize,
  from: usize,
  fromRow: usize,
  c: usize,
  rowBytes: usize,
): void {
  let c00 = v128.load(from)
  let c01 = v128.load(from, 16)
  let c02 = v128.load(from, 32)
  let c03 = v128.load(from, 48)
  from += fromRow
  let c10 = v128.load(from)
  let c11 = v128.load(from, 16)
  let c12 = v128.load(from, 32)
  let c13 = v128.load(from, 48)
  from += fromRow
  let c20 = v128.load(from)
  let c21 = v128.load(from, 16)
  let c22 = v128.load(from, 32)
  let c23 = v128.load(from, 48)
  from += fromRow
  let c30 = v128.load(from)
  let c31 = v128.load(from, 16)
  let c32 = v128.load(from, 32)
  let c33 = v128.load(from, 48)
  from += fromRow
  let c40 = v128.load(from)
  let c41 = v128.load(from, 16)
  let c42 = v128.load(from, 32)
  let c43 = v128.load(from, 48)
  from += fromRow
  let c50 = v128.load(from)
  let c51 = v128.load(from, 16)
  let c52 = v128.load(from, 32)
  let c53 = v128.load(from, 48)
  let x: v128
  let b0: v128
  let b1: v128
  let b2: v128
  let b3: v128
  for (;;) {
    b0 = v128.load(b)
    b1 = v128.load(b, 16)
    b2 = v128.load(b, 32)
    b3 = v128.load(b, 48)
    x = v128.load32_splat(a)
    c00 = fma(x, b0, c00)
    c01 = fma(x, b1, c01)
    c02 = fma(x, b2, c02)
    c03 = fma(x, b3, c03)
    x = v128.load32_splat(a, 4)
    c10 = fma(x, b0, c10)
    c11 = fma(x, b1, c11)
    c12 = fma(x, b2, c12)
    c13 = fma(x, b3, c13)
    x = v128.load32_splat(a, 8)
    c20 = fma(x, b0, c20)
    c21 = fma(x, b1, c21)
    c22 = fma(x, b2, c22)
    c23 = fma(x, b3, c23)
    x = v128.load32_splat(a, 12)
    c30 = fma(x, b0, c30)
    c31 = fma(x, b1, c31)
    c32 = fma(x, b2, c32)
    c33 = fma(x, b3, c33)
    x = v128.load32_splat(a, 16)
    c40 = fma(x, b0, c40)
    c41 = fma(x, b1, c41)
    c42 = fma(x, b2, c42)
    c43 = fma(x, b3, c43)
    x = v128.load32_splat(a, 20)
    c50 = fma(x, b0, c50)
    c51 = fma(x, b1, c51)
    c52 = fma(x, b2, c52)
    c53 = fma(x, b3, c53)
    a += (<usize>MR) << 2
    b += (<usize>NR) << 2
    if (--depth == 0) break
    b0 = v128.load(b)
    b1 = v128.load(b, 16)
    b2 = v128.load(b, 32)
    b3 = v128.load(b, 48)
    x = v128.load32_splat(a)
    c00 = fma(x, b0, c00)
    c01 = fma(x, b1, c01)
    c02 = fma(x, b2, c02)
    c03 = fma(x, b3, c03)
    x = v128.load32_splat(a, 4)
    c10 = fma(x, b0, c10)
    c11 = fma(x, b1, c11)
    c12 = fma(x, b2, c12)
    c13 = fma(x, b3, c13)
    x = v128.load32_splat(a, 8)
    c20 = fma(x, b0, c20)
    c21 = fma(x, b1, c21)
    c22 = fma(x, b2, c22)
    c23 = fma(x, b3, c23)
    x = v128.load32_splat(a, 12)
    c30 = fma(x, b0, c30)
    c31 = fma(x, b1, c31)
    c32 = fma(x, b2, c32)
    c33 = fma(x, b3, c33)
    x = v128.load32_splat(a, 16)
    c40 = fma(x, b0, c40)
    c41 = fma(x, b1, c41)
    c42 = fma(x, b2, c42)
    c43 = fma(x, b3, c43)
    x = v128.load32_splat(a, 20)
    c50 = fma(x, b0, c50)
    c51 = fma(x, b1, c51)
    c52 = fma(x, b2, c52)
    c53 = fma(x, b3, c53)
    a += (<usize>MR) << 2
    b += (<usize>NR) << 2
    if (--depth == 0) break
  }
  v128.store(c, c00)
  v128.store(c, c01, 16)
  v128.store(c, c02, 32)
  v128.store(c, c03, 48)
  c += rowBytes
  v128.store(c, c10)
  v128.store(c, c11, 16)
  v128.store(c, c12, 32)
  v128.store(c, c13, 48)
  c += rowBytes
  v128.store(c, c20)
  v128.store(c, c21, 16)
  v128.store(c, c22, 32)
  v128.store(c, c23, 48)
  c += rowBytes
  v128.store(c, c30)
  v128.store(c, c31, 16)
  v128.store(c, c32, 32)
  v128.store(c, c33, 48)
  c += rowBytes
  v128.store(c, c40)
  v128.store(c, c41, 16)
  v128.store(c, c42, 32)
  v128.store(c, c43, 48)
  c += rowBytes
  v128.store(c, c50)
  v128.store(c, c51, 16)
  v128.store(c, c52, 32)
  v128.store(c, c53, 48)
}
