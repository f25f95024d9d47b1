import { packPanels } from '@tau/tensor/assembly/matmul-pack'
import { fma, splat } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'

// Eight rows at a time: they are transposed into the workspace, so that one edge of the graph is one multiply-add for each
// of them. The Laplacian comes as edge weights w_ij = −L_ij and row sums ρ_i = Σ_j L_ij, and
//   xᵀLx = Σ_{i<j} w_ij (x_i − x_j)² + Σ_i ρ_i x_i²,   (Lx)_i = Σ_j w_ij (x_i − x_j) + ρ_i x_i
// in place of Σ L_ij x_i x_j: nothing cancels for vectors that hardly vary over the graph, a constant has energy 0 exactly
// where ρ = 0, and each edge is visited once. Rows are scaled by a power of two to |x| < 2 first, and ε with them: squares
// of anything that fits f32 stay in range.
const LANES: i32 = 8
const COLUMN: usize = 32 // bytes of one element of eight rows
const COLUMN_SHIFT: usize = 5

/** Entry i of a graph array. The edges of row i are first[i] … first[i + 1]−1, ascending; those to a greater column start at
 *  upper[i]. */
// @ts-ignore: decorator
@inline
function edge(list: usize, i: i32): i32 {
  return load<i32>(list + ((<usize>i) << 2))
}

/** Eight rows → [D, 8]; rows beyond `rows` become zeros. */
// @ts-ignore: decorator
@inline
function loadBlock(x: usize, rows: i32, dim: i32, block: usize): void {
  packPanels(x, (<usize>dim) << 2, 4, rows, dim, LANES, block)
}

/** [D, 8] → the first `rows` rows. */
// @ts-ignore: decorator
@inline
function storeBlock(block: usize, rows: i32, dim: i32, out: usize): void {
  packPanels(block, COLUMN, 4, dim, rows, dim, out)
}

/** The power of two 2^−e with 2^e ≤ peak < 2^(e+1); e is kept between −60, so that ε·scale² stays finite, and 126. */
// @ts-ignore: decorator
@inline
function scaleOf(peak: v128): v128 {
  const exponent = v128.and(peak, i32x4.splat(0x7f800000))
  const bounded = i32x4.max_s(i32x4.min_s(exponent, i32x4.splat(253 << 23)), i32x4.splat(67 << 23))
  return i32x4.sub(i32x4.splat(254 << 23), bounded)
}

/** Scales the block in place and stores scale and scaled Σx² + ε·scale² (eight each) at `stats`. */
function normalizeBlock(block: usize, dim: i32, eps: f32, stats: usize): void {
  const end = block + (<usize>dim) * COLUMN
  let peak0 = splat(0)
  let peak1 = peak0
  for (let p = block; p < end; p += COLUMN) {
    peak0 = f32x4.max(peak0, f32x4.abs(v128.load(p)))
    peak1 = f32x4.max(peak1, f32x4.abs(v128.load(p, 16)))
  }
  const scale0 = scaleOf(peak0)
  const scale1 = scaleOf(peak1)
  const small = splat(eps)
  let square0 = f32x4.mul(f32x4.mul(small, scale0), scale0)
  let square1 = f32x4.mul(f32x4.mul(small, scale1), scale1)
  for (let p = block; p < end; p += COLUMN) {
    const a = f32x4.mul(scale0, v128.load(p))
    const b = f32x4.mul(scale1, v128.load(p, 16))
    v128.store(p, a)
    v128.store(p, b, 16)
    square0 = fma(a, a, square0)
    square1 = fma(b, b, square1)
  }
  v128.store(stats, scale0)
  v128.store(stats, scale1, 16)
  v128.store(stats, square0, 32)
  v128.store(stats, square1, 48)
}

/** max(0, form / square) in f64, so that λ is rounded once. 0 / 0 is 0 here: a zero vector with ε = 0 has energy 0. NaN stays. */
// @ts-ignore: decorator
@inline
function quotient(form: f32, square: f32): f64 {
  return square == 0 ? 0 : max<f64>(0, <f64>form / <f64>square)
}

/** energy[r] = max(0, xᵀLx / (xᵀx + ε)) and lambda[r] = E / (E + τ) for blocks begin … end−1 of eight rows; τ of row r is
 *  tau[(r / tauInner) mod tauCount]. */
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
  const block = stats + 128
  for (let item = begin; item < end; item++) {
    const start = item * LANES
    const count = min(LANES, rows - start)
    loadBlock(x + (((<usize>start) * (<usize>dim)) << 2), count, dim, block)
    normalizeBlock(block, dim, eps, stats)
    let form0 = splat(0) // a sum of the sums of each i: short chains round less
    let form1 = form0
    for (let i = 0; i < dim; i++) {
      const here = block + (<usize>i) * COLUMN
      const a = v128.load(here)
      const b = v128.load(here, 16)
      const rho = v128.load32_splat(rowSums + ((<usize>i) << 2))
      let row0 = f32x4.mul(f32x4.mul(rho, a), a)
      let row1 = f32x4.mul(f32x4.mul(rho, b), b)
      const stop = edge(first, i + 1)
      for (let e = edge(upper, i); e < stop; e++) {
        const there = block + ((<usize>edge(columns, e)) << COLUMN_SHIFT)
        const w = v128.load32_splat(weights + ((<usize>e) << 2))
        const da = f32x4.sub(a, v128.load(there))
        const db = f32x4.sub(b, v128.load(there, 16))
        row0 = fma(f32x4.mul(w, da), da, row0)
        row1 = fma(f32x4.mul(w, db), db, row1)
      }
      form0 = f32x4.add(form0, row0)
      form1 = f32x4.add(form1, row1)
    }
    v128.store(stats, form0)
    v128.store(stats, form1, 16)
    for (let lane = 0; lane < count; lane++) {
      const r = start + lane
      const sums = stats + ((<usize>lane) << 2)
      const value = quotient(load<f32>(sums), load<f32>(sums, 32))
      const t = <f64>load<f32>(tau + ((<usize>((r / tauInner) % tauCount)) << 2))
      store<f32>(energy + ((<usize>r) << 2), <f32>value)
      store<f32>(lambda + ((<usize>r) << 2), <f32>(value / (value + t)))
    }
  }
}

/** dX = dLambda · τ/(E + τ)² · 2(Lx − E·x)/(xᵀx + ε) where E > 0, else 0; dTau[r] = −dLambda · E/(E + τ)² per row.
 *  Either of dX and dTau may be 0: not wanted. */
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
  const factors = stats + 64
  const energies = stats + 96
  const block = stats + 128
  const result = block + (<usize>dim) * COLUMN
  for (let item = begin; item < end; item++) {
    const start = item * LANES
    const count = min(LANES, rows - start)
    memory.fill(factors, 0, 64)
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
    const e0 = v128.load(energies)
    const e1 = v128.load(energies, 16)
    const f0 = factor(stats)
    const f1 = factor(stats + 16)
    for (let i = 0; i < dim; i++) {
      const here = block + (<usize>i) * COLUMN
      const a = v128.load(here)
      const b = v128.load(here, 16)
      const rho = v128.load32_splat(rowSums + ((<usize>i) << 2))
      let la = f32x4.mul(rho, a)
      let lb = f32x4.mul(rho, b)
      const stop = edge(first, i + 1)
      for (let e = edge(first, i); e < stop; e++) {
        const there = block + ((<usize>edge(columns, e)) << COLUMN_SHIFT)
        const w = v128.load32_splat(weights + ((<usize>e) << 2))
        la = fma(w, f32x4.sub(a, v128.load(there)), la)
        lb = fma(w, f32x4.sub(b, v128.load(there, 16)), lb)
      }
      const target = result + (<usize>i) * COLUMN
      v128.store(target, f32x4.mul(f0, f32x4.sub(la, f32x4.mul(e0, a))))
      v128.store(target, f32x4.mul(f1, f32x4.sub(lb, f32x4.mul(e1, b))), 16)
    }
    storeBlock(result, count, dim, dX + from)
  }
}

/** Four lanes of scale · 2·dE / (Σx² + ε·scale²), 0 where dE is 0 (a zero row with ε = 0 has no gradient). */
// @ts-ignore: decorator
@inline
function factor(stats: usize): v128 {
  const dE = v128.load(stats, 64)
  const value = f32x4.div(f32x4.mul(v128.load(stats), dE), v128.load(stats, 32))
  return v128.andnot(value, f32x4.eq(dE, splat(0)))
}
