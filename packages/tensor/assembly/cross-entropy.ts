import { logF64 } from './math'
import { rowPeak } from './row-peak'
import { exp4, loadNext, splat, storeNext, sumLanes } from './simd'
import { workspace } from './workspace'

/** Bytes of elements that are summed in f32 lanes before they join the row's f64 sum. */
const BLOCK_BYTES: usize = 1024

/** logSumExp[r] for rows begin … end−1, and losses[r] = logSumExp[r] − logits[r, target[r]] in f64. The loss
 *  is 0 if the target is negative, and NaN if it is ≥ cols. */
export function crossEntropyRows(
  logits: usize,
  targets: usize,
  logSumExp: usize,
  losses: usize,
  cols: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>cols) << 2
  for (let row = <usize>begin; row < <usize>end; row++) {
    const source = logits + row * bytes
    const peak = rowPeak(source, bytes)
    const shift = splat(peak)
    let total: f64 = 0
    for (let block: usize = 0; block < bytes; block += BLOCK_BYTES) {
      const stop = min(bytes, block + BLOCK_BYTES)
      let s0 = splat(0)
      let s1 = s0
      let p = block
      for (; p + 32 <= stop; p += 32) {
        s0 = f32x4.add(s0, exp4(f32x4.sub(v128.load(source + p), shift)))
        s1 = f32x4.add(s1, exp4(f32x4.sub(v128.load(source + p, 16), shift)))
      }
      const sums = workspace() // side by side in memory, so that the wide build can join them
      v128.store(sums, s0)
      v128.store(sums, s1, 16)
      total += <f64>sumLanes(f32x4.add(v128.load(sums), v128.load(sums, 16)))
      for (; p < stop; p += 4) total += <f64>f32x4.extract_lane(exp4(splat(load<f32>(source + p) - peak)), 0)
    }
    const sum = total > 0 ? <f64>peak + logF64(total) : total == 0 ? -Infinity : NaN
    store<f32>(logSumExp + (row << 2), <f32>sum)
    const target = load<i32>(targets + (row << 2))
    let loss: f64 = 0
    if (target >= cols) loss = NaN
    else if (target >= 0) loss = sum - <f64>load<f32>(source + ((<usize>target) << 2))
    store<f64>(losses + (row << 3), loss)
  }
}

/** loss[0] = Σ losses / count in the order of rows, or 0 if count is 0. loss[1] = count of targets ≥ 0. One
 *  tile. */
export function crossEntropyMean(targets: usize, losses: usize, loss: usize, rows: i32, begin: i32, end: i32): void {
  let sum: f64 = 0
  let count = 0
  for (let row: usize = 0; row < <usize>rows; row++) {
    if (load<i32>(targets + (row << 2)) < 0) continue
    sum += load<f64>(losses + (row << 3))
    count++
  }
  store<f32>(loss, count > 0 ? <f32>(sum / <f64>count) : 0)
  store<f32>(loss, <f32>count, 4)
}

/** dLogits[r, c] = dOut / count · (e^{logits − logSumExp} − [c = target]); 0 if the target is negative. */
export function crossEntropyGrad(
  logits: usize,
  targets: usize,
  logSumExp: usize,
  loss: usize,
  dOut: usize,
  dLogits: usize,
  cols: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>cols) << 2
  const factor: f32 = load<f32>(dOut) / load<f32>(loss, 4)
  for (let row = <usize>begin; row < <usize>end; row++) {
    const source = logits + row * bytes
    const gradient = dLogits + row * bytes
    const target = load<i32>(targets + (row << 2))
    if (target < 0) {
      memory.fill(gradient, 0, bytes)
      continue
    }
    const shift = v128.load32_splat(logSumExp + (row << 2))
    let p: usize = 0
    for (; p + 32 <= bytes; p += 32) {
      const low = f32x4.mul(splat(factor), exp4(f32x4.sub(v128.load(source + p), shift)))
      const high = f32x4.mul(splat(factor), exp4(f32x4.sub(v128.load(source + p, 16), shift)))
      v128.store(gradient + p, low)
      v128.store(gradient + p, high, 16)
    }
    for (; p < bytes; p += 16) {
      const left = bytes - p
      storeNext(gradient + p, f32x4.mul(splat(factor), exp4(f32x4.sub(loadNext(source + p, left), shift))), left)
    }
    if (target < cols) {
      const at = gradient + ((<usize>target) << 2)
      store<f32>(at, load<f32>(at) - factor)
    }
  }
}
