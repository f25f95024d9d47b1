import { workspace } from '@tau/tensor/assembly/workspace'

/** out[r] = max(median or mean of row r, floor). The mean is summed in f64, in the order of the columns. */
export function referenceTau(
  x: usize,
  out: usize,
  cols: i32,
  isMedian: i32,
  floor: f32,
  begin: i32,
  end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const row = x + (((<usize>r) * (<usize>cols)) << 2)
    const middle = isMedian ? median(row, cols) : mean(row, cols)
    store<f32>(out + ((<usize>r) << 2), <f32>max(middle, <f64>floor))
  }
}

function mean(row: usize, cols: i32): f64 {
  let sum: f64 = 0
  for (let c = 0; c < cols; c++) sum += <f64>load<f32>(row + ((<usize>c) << 2))
  return sum / <f64>cols
}

/** The median; NaN if any element is NaN, because a sort could hide it. */
function median(row: usize, cols: i32): f64 {
  const sorted = workspace()
  memory.copy(sorted, row, (<usize>cols) << 2)
  for (let c = 0; c < cols; c++) {
    const value = load<f32>(row + ((<usize>c) << 2))
    if (value != value) return <f64>value
  }
  shellSort(sorted, cols)
  const half = sorted + ((<usize>(cols >> 1)) << 2)
  const upper = <f64>load<f32>(half)
  return cols & 1 ? upper : (upper + <f64>load<f32>(half - 4)) / 2
}

/** Shell sort with gaps that shrink by 2.25 (Tokuda). It suits a few dozen elements, and needs no recursion
 *  and no allocation. */
function shellSort(values: usize, count: i32): void {
  let gap = count
  while (gap > 1) {
    gap = max(1, (gap * 4) / 9)
    for (let i = gap; i < count; i++) {
      const value = load<f32>(values + ((<usize>i) << 2))
      let j = i
      while (j >= gap) {
        const before = load<f32>(values + ((<usize>(j - gap)) << 2))
        if (before <= value) break
        store<f32>(values + ((<usize>j) << 2), before)
        j -= gap
      }
      store<f32>(values + ((<usize>j) << 2), value)
    }
  }
}
