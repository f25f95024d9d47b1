// Yardsticks, called like kernels: the speed of arithmetic alone, and the speed of memory alone.

/** Multiply-adds of each accumulator in one item. */
const DEPTH: i32 = 1 << 17

/** The runtime tells every module where its workspace lies. This module needs none. */
export function setWorkspace(_address: usize): void {}

/** a·b + c as the kernels of this build compute it, in one instruction or two. */
// @ts-ignore: decorator
@inline
function fma(a: v128, b: v128, c: v128): v128 {
  return isDefined(RELAXED) ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c)
}

/** Multiply-adds that touch registers only. More of them run side by side than the processor needs to be
 *  busy. Item i adds DEPTH · ones[0] to the 96 numbers at `memory` + 384 · i. `ones` are eight equal
 *  numbers. */
export function multiplyAdd(ones: usize, memory: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) {
    const out = memory + (<usize>i) * 384
    if (isDefined(WIDE)) wide(ones, out)
    else {
      narrow(ones, out)
      narrow(ones, out + 192)
    }
  }
}

/** The 128-bit build: 12 of the 16 registers are accumulators. */
function narrow(ones: usize, out: usize): void {
  const x = v128.load32_splat(ones)
  const b0 = v128.load(ones)
  let c0 = v128.load(out)
  let c1 = v128.load(out, 16)
  let c2 = v128.load(out, 32)
  let c3 = v128.load(out, 48)
  let c4 = v128.load(out, 64)
  let c5 = v128.load(out, 80)
  let c6 = v128.load(out, 96)
  let c7 = v128.load(out, 112)
  let c8 = v128.load(out, 128)
  let c9 = v128.load(out, 144)
  let c10 = v128.load(out, 160)
  let c11 = v128.load(out, 176)
  for (let k = 0; k < DEPTH; k++) {
    c0 = fma(x, b0, c0)
    c1 = fma(x, b0, c1)
    c2 = fma(x, b0, c2)
    c3 = fma(x, b0, c3)
    c4 = fma(x, b0, c4)
    c5 = fma(x, b0, c5)
    c6 = fma(x, b0, c6)
    c7 = fma(x, b0, c7)
    c8 = fma(x, b0, c8)
    c9 = fma(x, b0, c9)
    c10 = fma(x, b0, c10)
    c11 = fma(x, b0, c11)
  }
  v128.store(out, c0)
  v128.store(out, c1, 16)
  v128.store(out, c2, 32)
  v128.store(out, c3, 48)
  v128.store(out, c4, 64)
  v128.store(out, c5, 80)
  v128.store(out, c6, 96)
  v128.store(out, c7, 112)
  v128.store(out, c8, 128)
  v128.store(out, c9, 144)
  v128.store(out, c10, 160)
  v128.store(out, c11, 176)
}

/** The wide build: 24 accumulators in pairs. V8's revectorizer joins them into 12 of 256 bits. */
function wide(ones: usize, out: usize): void {
  const x = v128.load32_splat(ones)
  const b0 = v128.load(ones)
  const b1 = v128.load(ones, 16)
  let c0 = v128.load(out)
  let c1 = v128.load(out, 16)
  let c2 = v128.load(out, 32)
  let c3 = v128.load(out, 48)
  let c4 = v128.load(out, 64)
  let c5 = v128.load(out, 80)
  let c6 = v128.load(out, 96)
  let c7 = v128.load(out, 112)
  let c8 = v128.load(out, 128)
  let c9 = v128.load(out, 144)
  let c10 = v128.load(out, 160)
  let c11 = v128.load(out, 176)
  let c12 = v128.load(out, 192)
  let c13 = v128.load(out, 208)
  let c14 = v128.load(out, 224)
  let c15 = v128.load(out, 240)
  let c16 = v128.load(out, 256)
  let c17 = v128.load(out, 272)
  let c18 = v128.load(out, 288)
  let c19 = v128.load(out, 304)
  let c20 = v128.load(out, 320)
  let c21 = v128.load(out, 336)
  let c22 = v128.load(out, 352)
  let c23 = v128.load(out, 368)
  for (let k = 0; k < DEPTH; k++) {
    c0 = fma(x, b0, c0)
    c1 = fma(x, b1, c1)
    c2 = fma(x, b0, c2)
    c3 = fma(x, b1, c3)
    c4 = fma(x, b0, c4)
    c5 = fma(x, b1, c5)
    c6 = fma(x, b0, c6)
    c7 = fma(x, b1, c7)
    c8 = fma(x, b0, c8)
    c9 = fma(x, b1, c9)
    c10 = fma(x, b0, c10)
    c11 = fma(x, b1, c11)
    c12 = fma(x, b0, c12)
    c13 = fma(x, b1, c13)
    c14 = fma(x, b0, c14)
    c15 = fma(x, b1, c15)
    c16 = fma(x, b0, c16)
    c17 = fma(x, b1, c17)
    c18 = fma(x, b0, c18)
    c19 = fma(x, b1, c19)
    c20 = fma(x, b0, c20)
    c21 = fma(x, b1, c21)
    c22 = fma(x, b0, c22)
    c23 = fma(x, b1, c23)
  }
  v128.store(out, c0)
  v128.store(out, c1, 16)
  v128.store(out, c2, 32)
  v128.store(out, c3, 48)
  v128.store(out, c4, 64)
  v128.store(out, c5, 80)
  v128.store(out, c6, 96)
  v128.store(out, c7, 112)
  v128.store(out, c8, 128)
  v128.store(out, c9, 144)
  v128.store(out, c10, 160)
  v128.store(out, c11, 176)
  v128.store(out, c12, 192)
  v128.store(out, c13, 208)
  v128.store(out, c14, 224)
  v128.store(out, c15, 240)
  v128.store(out, c16, 256)
  v128.store(out, c17, 272)
  v128.store(out, c18, 288)
  v128.store(out, c19, 304)
  v128.store(out, c20, 320)
  v128.store(out, c21, 336)
  v128.store(out, c22, 352)
  v128.store(out, c23, 368)
}

/** A copy by the runtime's memory.copy. Items are bytes. */
export function copy(source: usize, target: usize, begin: i32, end: i32): void {
  memory.copy(target + <usize>begin, source + <usize>begin, <usize>(end - begin))
}

/** Bytes of an item of {@link read}. */
const BLOCK: usize = 16384

/** Loads, each followed by an addition, with eight sums side by side. Item i writes four sums of block i to
 *  `sums` + 16 · i. */
export function read(source: usize, sums: usize, begin: i32, end: i32): void {
  for (let i = <usize>begin; i < <usize>end; i++) {
    const stop = source + (i + 1) * BLOCK
    let s0 = f32x4.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    let s4 = s0
    let s5 = s0
    let s6 = s0
    let s7 = s0
    for (let p = source + i * BLOCK; p < stop; p += 128) {
      s0 = f32x4.add(s0, v128.load(p))
      s1 = f32x4.add(s1, v128.load(p, 16))
      s2 = f32x4.add(s2, v128.load(p, 32))
      s3 = f32x4.add(s3, v128.load(p, 48))
      s4 = f32x4.add(s4, v128.load(p, 64))
      s5 = f32x4.add(s5, v128.load(p, 80))
      s6 = f32x4.add(s6, v128.load(p, 96))
      s7 = f32x4.add(s7, v128.load(p, 112))
    }
    const low = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))
    const high = f32x4.add(f32x4.add(s4, s5), f32x4.add(s6, s7))
    v128.store(sums + 16 * i, f32x4.add(low, high))
  }
}
