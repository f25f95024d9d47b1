import { loadNext } from './simd'

// Parts of kernels over four loops [n0, n1, n2, n3]. Each operand has a step per loop; it is 0 if the operand
// is broadcast along the loop.

/** Address of the element of operand `x` at index i. */
export function place(x: usize, i: i32, n1: i32, n2: i32, n3: i32, s0: i32, s1: i32, s2: i32, s3: i32): usize {
  const i3 = i % n3
  let rest = i / n3
  const i2 = rest % n2
  rest /= n2
  return x + ((<usize>((rest / n1) * s0 + (rest % n1) * s1 + i2 * s2 + i3 * s3)) << 2)
}

/** The next four elements of an operand in the innermost loop. Its step there is 1, or 0 if it stands
 *  still. */
// @ts-ignore: decorator
@inline
export function next(x: usize, p: usize, step: i32, left: usize): v128 {
  return step != 0 ? loadNext(x + p, left) : v128.load32_splat(x)
}
