import { fma, splat } from './simd'

/** Rows and columns of the block of C that {@link microKernel} holds in registers: 6 × 8 if a multiply-add is
 *  one instruction. The plain build has 5 × 8, because the product needs a register before it is added. */
export const MR: i32 = isDefined(RELAXED) ? 6 : 5
export const NR: i32 = 8

/** C[0…MR, 0…NR] = `from` + Σ_k a[k]·b[k]ᵀ for k < `depth`, one rank-1 update per step. `from` is a block
 *  with rows of `fromRow` bytes: C itself to continue a sum, or one row of zeros and `fromRow` 0 to begin
 *  one. `a` is a packed panel [depth, MR], `b` a packed panel [depth, NR] (matmul-pack.ts). C has rows of
 *  `rowBytes` bytes. Each element is summed in the order of k.
 *
 *  Registers: SSE and AVX have 16, and V8 keeps one for itself. 6 × 2 accumulators, two vectors of b and one
 *  broadcast of a make 15. With six rows the plain build spilled one accumulator. The store and the load in
 *  its chain of sums halved the speed (28 instead of 53 GFLOPS). A broadcast is a load, so 12 FMAs need 8
 *  loads, and the FMA units stay the limit.
 *  Slower shapes: unrolling over k (20 % or more, it spills), 4 × 12, 8 × 8 and 12 × 4. */
export function microKernel(
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
  from += fromRow
  let c10 = v128.load(from)
  let c11 = v128.load(from, 16)
  from += fromRow
  let c20 = v128.load(from)
  let c21 = v128.load(from, 16)
  from += fromRow
  let c30 = v128.load(from)
  let c31 = v128.load(from, 16)
  from += fromRow
  let c40 = v128.load(from)
  let c41 = v128.load(from, 16)
  let c50 = splat(0)
  let c51 = c50
  if (isDefined(RELAXED)) {
    from += fromRow
    c50 = v128.load(from)
    c51 = v128.load(from, 16)
  }
  for (let k = 0; k < depth; k++) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    let x = v128.load32_splat(a)
    c00 = fma(x, b0, c00)
    c01 = fma(x, b1, c01)
    x = v128.load32_splat(a, 4)
    c10 = fma(x, b0, c10)
    c11 = fma(x, b1, c11)
    x = v128.load32_splat(a, 8)
    c20 = fma(x, b0, c20)
    c21 = fma(x, b1, c21)
    x = v128.load32_splat(a, 12)
    c30 = fma(x, b0, c30)
    c31 = fma(x, b1, c31)
    x = v128.load32_splat(a, 16)
    c40 = fma(x, b0, c40)
    c41 = fma(x, b1, c41)
    if (isDefined(RELAXED)) {
      x = v128.load32_splat(a, 20)
      c50 = fma(x, b0, c50)
      c51 = fma(x, b1, c51)
    }
    a += (<usize>MR) << 2
    b += (<usize>NR) << 2
  }
  v128.store(c, c00)
  v128.store(c, c01, 16)
  c += rowBytes
  v128.store(c, c10)
  v128.store(c, c11, 16)
  c += rowBytes
  v128.store(c, c20)
  v128.store(c, c21, 16)
  c += rowBytes
  v128.store(c, c30)
  v128.store(c, c31, 16)
  c += rowBytes
  v128.store(c, c40)
  v128.store(c, c41, 16)
  if (isDefined(RELAXED)) {
    c += rowBytes
    v128.store(c, c50)
    v128.store(c, c51, 16)
  }
}
