import { packPanels } from '@tau/tensor/assembly/matmul-pack'
import { splat } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import { addSquares, COLUMN, energyForms, energySlopes, LANES, quotient } from './edge-sums'

// Blocks of 16 rows, see edge-sums.ts. Rows, and ε with them, are first scaled by a power of two to |x| < 2.
// So squares of all numbers that fit f32 stay in range. The workspace of a block holds scales, squares, two
// lists with a number per row, and the block.
const STATS: usize = 256

/** 16 rows → [D, 16]. Rows past `rows` become zeros. */
// @ts-ignore: decorator
@inline
function loadBlock(x: usize, rows: i32, dim: i32, block: usize): void {
  packPanels(x, (<usize>dim) << 2, 4, rows, dim, LANES, block)
}

/** [D, 16] → the first `rows` rows. */
// @ts-ignore: decorator
@inline
function storeBlock(block: usize, rows: i32, dim: i32, out: usize): void {
  packPanels(block, COLUMN, 4, dim, rows, dim, out)
}

/** The power of two 2^−e with 2^e ≤ peak < 2^(e+1). e is kept between −60, so that ε·scale² stays finite, and
 *  126. */
// @ts-ignore: decorator
@inline
function scaleOf(peak: v128): v128 {
  const exponent = v128.and(peak, i32x4.splat(0x7f800000))
  const bounded = i32x4.max_s(i32x4.min_s(exponent, i32x4.splat(253 << 23)), i32x4.splat(67 << 23))
  return i32x4.sub(i32x4.splat(254 << 23), bounded)
}

/** Scales the block in place. Stores scale and the scaled Σx² + ε·scale² (16 numbers each) at `stats`. */
function normalizeBlock(block: usize, dim: i32, eps: f32, stats: usize): void {
  const end = block + (<usize>dim) * COLUMN
  for (let group: usize = 0; group < COLUMN; group += 16) {
    let peak = splat(0) // pmax takes one instruction, max eight; pmax skips a NaN, which stays in Σx²
    for (let p = block + group; p < end; p += COLUMN) peak = f32x4.pmax(peak, f32x4.abs(v128.load(p)))
    const scale = scaleOf(peak)
    for (let p = block + group; p < end; p += COLUMN) v128.store(p, f32x4.mul(scale, v128.load(p)))
    v128.store(stats + group, scale)
    v128.store(stats + group, f32x4.mul(f32x4.mul(splat(eps), scale), scale), 64)
  }
  addSquares(block, dim, stats + 64)
}

/** energy[r] = max(0, xᵀLx / (xᵀx + ε)) and lambda[r] = E / (E + τ) for blocks begin … end−1 of 16 rows. τ of
 *  row r is tau[(r / tauInner) mod tauCount]. */
export function taumode(
  x: usize,
  first: usize,
  upper: usize,
  columns: usize,
  weights: usize,
  rowSums: usize,
  tau: usize,
  energy: usize,
  lambda: usize,
  rows: i32,
  dim: i32,
  tauInner: i32,
  tauCount: i32,
  eps: f32,
  begin: i32,
  end: i32,
): void {
  const stats = workspace()
  const forms = stats + 128
  const block = stats + STATS
  for (let item = begin; item < end; item++) {
    const start = item * LANES
    const count = min(LANES, rows - start)
    loadBlock(x + (((<usize>start) * (<usize>dim)) << 2), count, dim, block)
    normalizeBlock(block, dim, eps, stats)
    energyForms(block, first, upper, columns, weights, rowSums, dim, forms)
    for (let lane = 0; lane < count; lane++) {
      const r = start + lane
      const sums = stats + ((<usize>lane) << 2)
      const value = quotient(load<f32>(sums, 128), <f64>load<f32>(sums, 64))
      const t = <f64>load<f32>(tau + ((<usize>((r / tauInner) % tauCount)) << 2))
      store<f32>(energy + ((<usize>r) << 2), <f32>value)
      store<f32>(lambda + ((<usize>r) << 2), <f32>(value / (value + t)))
    }
  }
}

/** dX = dLambda · τ/(E + τ)² · 2(Lx − E·x)/(xᵀx + ε) if E > 0, else 0; dTau[r] = −dLambda · E/(E + τ)² per
 *  row. dX or dTau 0: not wanted. */
export function taumodeGrad(
  x: usize,
  first: usize,
  columns: usize,
  weights: usize,
  rowSums: usize,
  tau: usize,
  energy: usize,
  dLambda: usize,
  dX: usize,
  dTau: usize,
  rows: i32,
  dim: i32,
  tauInner: i32,
  tauCount: i32,
  eps: f32,
  begin: i32,
  end: i32,
): void {
  const stats = workspace()
  const factors = stats + 128
  const energies = stats + 192
  const block = stats + STATS
  const result = block + (<usize>dim) * COLUMN
  for (let item = begin; item < end; item++) {
    const start = item * LANES
    const count = min(LANES, rows - start)
    memory.fill(factors, 0, 128)
    for (let lane = 0; lane < count; lane++) {
      const offset = (<usize>(start + lane)) << 2
      const value = load<f32>(energy + offset)
      const t = load<f32>(tau + ((<usize>(((start + lane) / tauInner) % tauCount)) << 2))
      const both = value + t
      const g = load<f32>(dLambda + offset) / both // two divisions: both² may leave the range of f32
      if (dTau) store<f32>(dTau + offset, -g * (value / both))
      store<f32>(energies + ((<usize>lane) << 2), value)
      store<f32>(factors + ((<usize>lane) << 2), value == 0 ? 0 : 2 * g * (t / both))
    }
    if (!dX) continue
    const from = ((<usize>start) * (<usize>dim)) << 2
    loadBlock(x + from, count, dim, block)
    normalizeBlock(block, dim, eps, stats)
    for (let group: usize = 0; group < COLUMN; group += 16) v128.store(factors + group, factor(stats + group))
    energySlopes(block, first, columns, weights, rowSums, dim, factors, energies, result)
    storeBlock(result, count, dim, dX + from)
  }
}

/** Four lanes of scale · 2·dE / (Σx² + ε·scale²). The result is 0 if dE is 0, because a zero row with ε = 0
 *  has no gradient. */
// @ts-ignore: decorator
@inline
function factor(stats: usize): v128 {
  const dE = v128.load(stats, 128)
  const value = f32x4.div(f32x4.mul(v128.load(stats), dE), v128.load(stats, 64))
  return v128.andnot(value, f32x4.eq(dE, splat(0)))
}
