import { inverse, logF64, tanh4 } from './math'
import { rowPeak } from './row-peak'
import { exp4, loadNext, splat, storeNext, sumLanes } from './simd'
import { workspace } from './workspace'

/** Bytes of elements that are summed in f32 lanes before they join the row's f64 sum. */
const BLOCK_BYTES: usize = 1024
/** If |y| is at most this, e^y and its sums are normal f32 numbers. Then the largest y is not needed. */
const SAFE: f32 = 40

/** count[0] = max(1, number of targets ≥ 0). One tile. */
export function targetCount(targets: usize, count: usize, rows: i32, begin: i32, end: i32): void {
  let sum = 0
  for (let row: usize = 0; row < <usize>rows; row++) if (load<i32>(targets + (row << 2)) >= 0) sum++
  store<f32>(count, <f32>max(1, sum))
}

/** x[i] *= factor[0]. If the factor is 1, it does nothing. */
export function scaleInPlace(x: usize, factor: usize, begin: i32, end: i32): void {
  if (load<f32>(factor) == 1) return
  const scale = v128.load32_splat(factor)
  const stop = (<usize>end) << 2
  for (let p = (<usize>begin) << 2; p < stop; p += 16) {
    const left = stop - p
    storeNext(x + p, f32x4.mul(loadNext(x + p, left), scale), left)
  }
}

/** z limited to ±limit; with a cap, then tanh(z / cap). `part` is 1 / cap. NaN stays NaN. */
// @ts-ignore: decorator
@inline
function bounded(z: v128, limit: f32, part: f32, hasCap: bool): v128 {
  const inside = f32x4.pmin(f32x4.pmax(z, splat(-limit)), splat(limit))
  return hasCap ? tanh4(f32x4.mul(inside, splat(part))) : inside
}

/** e^{y − shift} for t = {@link bounded}(z). */
// @ts-ignore: decorator
@inline
function power(t: v128, shift: f32, cap: f32, hasCap: bool): v128 {
  return exp4(f32x4.sub(hasCap ? f32x4.mul(splat(cap), t) : t, splat(shift)))
}

/** e times the derivative of y by z, for t = {@link bounded}(z). */
// @ts-ignore: decorator
@inline
function timesSlope(e: v128, z: v128, t: v128, limit: f32, hasCap: bool): v128 {
  const inside = v128.and(f32x4.ge(z, splat(-limit)), f32x4.le(z, splat(limit)))
  return v128.and(hasCap ? f32x4.mul(e, f32x4.sub(splat(1), f32x4.mul(t, t))) : e, inside)
}

/** Σ e^{y − shift} of a row in f64. With `gradient` every logit is replaced by e^{y − shift} · dy/dz. Two
 *  vectors side by side. */
// @ts-ignore: decorator
@inline
function rowTotal(row: usize, bytes: usize, shift: f32, limit: f32, cap: f32, hasCap: bool, gradient: bool): f64 {
  const part = inverse(cap)
  const sums = workspace()
  let total: f64 = 0
  for (let block: usize = 0; block < bytes; block += BLOCK_BYTES) {
    const stop = min(bytes, block + BLOCK_BYTES)
    let low = splat(0)
    let high = low
    let p = block
    for (; p + 32 <= stop; p += 32) {
      const z0 = v128.load(row + p)
      const z1 = v128.load(row + p, 16)
      const t0 = bounded(z0, limit, part, hasCap)
      const t1 = bounded(z1, limit, part, hasCap)
      const e0 = power(t0, shift, cap, hasCap)
      const e1 = power(t1, shift, cap, hasCap)
      low = f32x4.add(low, e0)
      high = f32x4.add(high, e1)
      if (gradient) {
        v128.store(row + p, timesSlope(e0, z0, t0, limit, hasCap))
        v128.store(row + p, timesSlope(e1, z1, t1, limit, hasCap), 16)
      }
    }
    v128.store(sums, low) // side by side in memory, so that the wide build can join them
    v128.store(sums, high, 16)
    total += <f64>sumLanes(f32x4.add(v128.load(sums), v128.load(sums, 16)))
    for (; p < stop; p += 4) {
      const z = v128.load32_splat(row + p)
      const t = bounded(z, limit, part, hasCap)
      const e = power(t, shift, cap, hasCap)
      total += <f64>f32x4.extract_lane(e, 0)
      if (gradient) v128.store32_lane(row + p, timesSlope(e, z, t, limit, hasCap), 0)
    }
  }
  return total
}

/** Let y = cap · tanh(clamp(z, ±limit) / cap) for the logits z; if cap is 0, y is the clamped z.
 *  losses[r] = log Σ e^y − y[target]; 0 if the target is negative, NaN if it is ≥ cols. With `gradient` the
 *  logits are replaced by dlosses/dz / count[0]. */
export function logitLoss(
  logits: usize,
  targets: usize,
  count: usize,
  losses: usize,
  cols: i32,
  limit: f32,
  cap: f32,
  gradient: bool,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>cols) << 2
  const hasCap = cap > 0
  const isSafe = limit <= SAFE || (hasCap && cap <= SAFE)
  for (let r = <usize>begin; r < <usize>end; r++) {
    const row = logits + r * bytes
    const target = load<i32>(targets + (r << 2))
    if (target < 0) {
      store<f32>(losses + (r << 2), 0)
      if (gradient) memory.fill(row, 0, bytes)
      continue
    }
    // y grows with z, so the largest z has the largest y.
    let shift: f32 = 0
    if (!isSafe) shift = scalar(rowPeak(row, bytes), limit, cap, hasCap)
    const z: f32 = target < cols ? load<f32>(row + ((<usize>target) << 2)) : NaN
    const total = hasCap
      ? gradient
        ? rowTotal(row, bytes, shift, limit, cap, true, true)
        : rowTotal(row, bytes, shift, limit, cap, true, false)
      : gradient
        ? rowTotal(row, bytes, shift, limit, cap, false, true)
        : rowTotal(row, bytes, shift, limit, cap, false, false)
    const behind = <f64>shift - <f64>scalar(z, limit, cap, hasCap)
    store<f32>(losses + (r << 2), total > 0 ? <f32>(logF64(total) + behind) : NaN)
    if (!gradient) continue
    const weight: f32 = 1 / load<f32>(count)
    const factor = splat(<f32>(<f64>weight / total))
    for (let p: usize = 0; p < bytes; p += 16) {
      const left = bytes - p
      storeNext(row + p, f32x4.mul(loadNext(row + p, left), factor), left)
    }
    if (target >= cols) continue
    const at = row + ((<usize>target) << 2)
    const slope = timesSlope(splat(weight), splat(z), bounded(splat(z), limit, inverse(cap), hasCap), limit, hasCap)
    store<f32>(at, load<f32>(at) - f32x4.extract_lane(slope, 0))
  }
}

/** y of one logit. */
function scalar(z: f32, limit: f32, cap: f32, hasCap: bool): f32 {
  const t = f32x4.extract_lane(bounded(splat(z), limit, inverse(cap), hasCap), 0)
  return hasCap ? cap * t : t
}
