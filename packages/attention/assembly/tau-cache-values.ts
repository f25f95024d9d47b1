import { loadNext, maxLanes, splat, storeNext } from '@tau/tensor/assembly/simd'
import { F16, F32, format, scaleAt, valueAt, vectorBytes } from './tau-cache-view'

// Value vectors as a TauCache stores them: f32, IEEE half, or int8 times a scale per vector.

const LARGEST_F32: f32 = 3.4028234663852886e38
const LARGEST_F16: f32 = 65504

/** Index of the first of `count` numbers that cannot be stored, or −1 if all can. A number must be finite
 *  and, in format f16, at most 65504 in size. */
export function firstUnfit(source: usize, count: i32): i32 {
  const limit = format == F16 ? LARGEST_F16 : LARGEST_F32
  const bytes = (<usize>count) << 2
  let fit = i32x4.splat(-1)
  for (let p: usize = 0; p < bytes; p += 16)
    fit = v128.and(fit, f32x4.le(f32x4.abs(loadNext(source + p, bytes - p)), splat(limit)))
  if (i32x4.all_true(fit)) return -1
  for (let i = 0; i < count; i++) if (!(abs(load<f32>(source + ((<usize>i) << 2))) <= limit)) return i
  return -1
}

/** Stores the `count` numbers at `source` as the value of `slot`, padded with zeros. */
export function encodeValue(source: usize, count: i32, slot: u32): void {
  const bytes = (<usize>count) << 2
  let target = valueAt(slot)
  if (format == F32) {
    for (let p: usize = 0; p < bytes; p += 16) v128.store(target + p, loadNext(source + p, bytes - p))
    return
  }
  if (format == F16) {
    for (let p: usize = 0; p < bytes; p += 16) {
      const half = toHalf(loadNext(source + p, bytes - p))
      v128.store64_lane(target, i16x8.narrow_i32x4_u(half, half), 0)
      target += 8
    }
    return
  }
  let largest = splat(0)
  for (let p: usize = 0; p < bytes; p += 16) largest = f32x4.max(largest, f32x4.abs(loadNext(source + p, bytes - p)))
  const scale = maxLanes(largest) / 127
  store<f32>(scaleAt(slot), scale)
  // A vector whose scale underflows is stored as zeros.
  const divisor = splat(scale > 0 ? scale : Infinity)
  for (let p: usize = 0; p < bytes; p += 16) {
    const whole = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(loadNext(source + p, bytes - p), divisor)))
    const words = i16x8.narrow_i32x4_s(whole, whole)
    v128.store32_lane(target, i8x16.narrow_i16x8_s(words, words), 0)
    target += 4
  }
}

/** The address of the value of `slot` as a padded f32 vector: its own place, or `room` after decoding. */
export function valueVector(slot: u32, room: usize): usize {
  let source = valueAt(slot)
  if (format == F32) return source
  if (format == F16) {
    for (let p: usize = 0; p < vectorBytes; p += 16) {
      v128.store(room + p, fromHalf(v128.load64_zero(source)))
      source += 8
    }
    return room
  }
  const scale = v128.load32_splat(scaleAt(slot))
  for (let p: usize = 0; p < vectorBytes; p += 16) {
    const words = i16x8.extend_low_i8x16_s(v128.load32_zero(source))
    v128.store(room + p, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)), scale))
    source += 4
  }
  return room
}

/** Writes the value of `slot` as `count` numbers. */
export function decodeValue(slot: u32, target: usize, count: i32, room: usize): void {
  const source = valueVector(slot, room)
  const bytes = (<usize>count) << 2
  for (let p: usize = 0; p < bytes; p += 16) storeNext(target + p, v128.load(source + p), bytes - p)
}

/** Bits of half precision in the low 16 bits of each lane, for |x| ≤ 65504. Rounds to nearest even. */
// @ts-ignore: decorator
@inline
function toHalf(x: v128): v128 {
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff))
  // Exponents move from bias 127 to 15. To round to even, it adds half of the last kept unit; one less if
  // that unit is even.
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1))
  const rebased = i32x4.sub(magnitude, i32x4.splat(112 << 23))
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(rebased, i32x4.splat(0xfff)), odd), 13)
  // Below 2⁻¹⁴ a half counts units of 2⁻²⁴. That is the last place of f32 numbers from ½ on, so adding ½
  // rounds to it.
  const small = i32x4.sub(f32x4.add(magnitude, splat(0.5)), i32x4.splat(0x3f000000))
  const bits = v128.bitselect(small, normal, f32x4.lt(magnitude, splat(6.103515625e-5)))
  return v128.or(bits, v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000)))
}

/** Four finite numbers of half precision as f32; exact. */
// @ts-ignore: decorator
@inline
function fromHalf(halves: v128): v128 {
  const bits = i32x4.extend_low_i16x8_u(halves)
  const magnitude = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13)
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16)
  // The product with 2¹¹² moves the bias. It also turns halves below 2⁻¹⁴ into normal numbers.
  return v128.or(f32x4.mul(magnitude, splat(5.192296858534828e33)), sign)
}
