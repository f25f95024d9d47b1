/** out[i] = value for begin ≤ i < end. Speed: 0.76 of a copy on one thread, 0.58 on two. Probably a cache
 *  line is read before it is written, which the runtime's copy can avoid. */
export function fill(out: usize, value: f32, begin: i32, end: i32): void {
  let p = out + ((<usize>begin) << 2)
  const stop = out + ((<usize>end) << 2)
  if (value == 0 && reinterpret<u32>(value) == 0) {
    memory.fill(p, 0, stop - p)
    return
  }
  const v = f32x4.splat(value)
  for (; p + 16 <= stop; p += 16) v128.store(p, v)
  for (; p < stop; p += 4) store<f32>(p, value)
}
