import { splat } from '@tau/tensor/assembly/simd'

/** Stable order of up to 64 numbers: writes first + index of each at its rank. Ranks are counted, four at a time, which needs no branch that
 *  depends on the data. NaN comes last. `list` is padded to four with anything. */
export function rankSort(list: usize, count: i32, first: i32, order: usize): void {
  const vectors = (count + 3) >> 2
  for (let i = count; i < vectors << 2; i++) store<f32>(list + ((<usize>i) << 2), Infinity)
  for (let i = 0; i < count; i++) {
    const own = load<f32>(list + ((<usize>i) << 2))
    const x = splat(own == own ? own : Infinity)
    const home = i >> 2
    let before = i32x4.splat(0) // minus the number of smaller ones, and of equal ones that come first
    for (let g = 0; g < vectors; g++) {
      const raw = v128.load(list + ((<usize>g) << 4))
      const y = v128.bitselect(raw, splat(Infinity), f32x4.eq(raw, raw))
      let mask: v128
      if (g < home) mask = f32x4.le(y, x)
      else if (g > home) mask = f32x4.lt(y, x)
      else {
        const earlier = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(i & 3))
        mask = v128.or(f32x4.lt(y, x), v128.and(f32x4.eq(y, x), earlier))
      }
      before = i32x4.add(before, mask)
    }
    const rank = -(
      i32x4.extract_lane(before, 0) +
      i32x4.extract_lane(before, 1) +
      i32x4.extract_lane(before, 2) +
      i32x4.extract_lane(before, 3)
    )
    store<i32>(order + ((<usize>rank) << 2), first + i)
  }
}

/** Merges the orders [from, middle) and [middle, to) of the numbers at `values`, the first half first where they are equal. */
export function mergeOrders(values: usize, order: usize, spare: usize, from: i32, middle: i32, to: i32): void {
  let left = order + ((<usize>from) << 2)
  const leftEnd = order + ((<usize>middle) << 2)
  let right = leftEnd
  const rightEnd = order + ((<usize>to) << 2)
  let target = spare
  while (left < leftEnd && right < rightEnd) {
    const a = load<i32>(left)
    const b = load<i32>(right)
    const takeLeft = load<f32>(values + ((<usize>a) << 2)) <= load<f32>(values + ((<usize>b) << 2))
    store<i32>(target, select(a, b, takeLeft))
    const step = (<usize>takeLeft) << 2
    left += step
    right += 4 - step
    target += 4
  }
  memory.copy(target, left, leftEnd - left)
  memory.copy(target + (leftEnd - left), right, rightEnd - right)
  memory.copy(order + ((<usize>from) << 2), spare, (<usize>(to - from)) << 2)
}
