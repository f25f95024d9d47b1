// Lists of the nearest candidates so far. A slot is a score and an index in one u64. The score is in the
// upper half; its bits are changed so that they ascend as unsigned integers when the score ascends. The index
// is in the lower half. So one comparison of slots orders by score, then by index. A list is a heap with its
// largest slot on top. It is always full: it starts with slots of score ∞.
/** Bytes of a slot. */
export const SLOT: usize = 8

const EMPTY: u64 = 0xff800000_ffffffff

// @ts-ignore: decorator
@inline
function slotOf(score: f32, index: i32): u64 {
  const bits = reinterpret<i32>(score)
  return (<u64>(<u32>(bits ^ ((bits >> 31) | <i32>0x80000000))) << 32) | <u64>(<u32>index)
}

// @ts-ignore: decorator
@inline
function scoreOf(slot: u64): f32 {
  const bits = <i32>(slot >> 32)
  return reinterpret<f32>(bits ^ (~(bits >> 31) | <i32>0x80000000))
}

/** Keeps (score, index) if it is among the `k` smallest of the list. Returns the largest score of the list
 *  afterwards. */
export function offer(list: usize, k: i32, score: f32, index: i32): f32 {
  const slot = slotOf(score, index)
  if (slot >= load<u64>(list)) return scoreOf(load<u64>(list))
  let at: i32 = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= k) break
    let larger = load<u64>(list + ((<usize>child) << 3))
    if (child + 1 < k) {
      const right = load<u64>(list + ((<usize>child) << 3), 8)
      if (right > larger) {
        larger = right
        child++
      }
    }
    if (larger <= slot) break
    store<u64>(list + ((<usize>at) << 3), larger)
    at = child
  }
  store<u64>(list + ((<usize>at) << 3), slot)
  return scoreOf(load<u64>(list))
}

/** Empties the lists begin … end−1 of `k` slots each, and sets the limits of their rows to ∞. */
export function emptyLists(lists: usize, limits: usize, k: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const list = lists + <usize>row * <usize>k * SLOT
    for (let n: usize = 0; n < <usize>k; n++) store<u64>(list + n * SLOT, EMPTY)
    store<f32>(limits + ((<usize>row) << 2), Infinity)
  }
}
