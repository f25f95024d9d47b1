/** out (i32 [outer, inner]) = index of the largest or smallest element along the middle axis of x [outer,
 *  length, inner], for results begin … end−1. Of equal elements the first counts; if there is a NaN, the
 *  first NaN counts. It compares one number at a time, without vectors. Speed: 0.12 of reading ([256,
 *  30522]). */
export function argmax(x: usize, out: usize, length: i32, inner: i32, smallest: i32, begin: i32, end: i32): void {
  const step = (<usize>inner) << 2
  for (let item = begin; item < end; item++) {
    let p = x + (((<usize>(item / inner)) * (<usize>length) * (<usize>inner) + <usize>(item % inner)) << 2)
    let best = load<f32>(p)
    let at = 0
    for (let i = 1; i < length && best == best; i++) {
      p += step
      const v = load<f32>(p)
      if ((smallest ? v < best : v > best) || v != v) {
        best = v
        at = i
      }
    }
    store<i32>(out + ((<usize>item) << 2), at)
  }
}
