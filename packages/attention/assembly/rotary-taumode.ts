import { packPanels } from '@tau/tensor/assembly/matmul-pack'
import { fma, loadNext, splat, storeNext } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import { addSquares, COLUMN, energyForms, energySlopes, LANES, quotient } from './edge-sums'

// Rows are the vectors of y [B, T, H, D] in memory order: row = (b·T + t)·H + h. Each row is clamped and
// rotated by the angles of its time. Its λ is that of the rotated row over its root mean square. That
// quotient is never stored. With r the rotated row and n = r / √(Σr²/D + normEps),
//   E = nᵀLn / (nᵀn + ε) = rᵀLr / Q,   Q = Σr²·(1 + ε/D) + ε·normEps,   dE/dr = 2·(Lr − E·(1 + ε/D)·r) / Q.
// Angles come as two short f64 tables: `coarse` has every 2^shift-th time, `fine` has the 2^shift times from
// 0 on. The sum formulas of sine and cosine join them. One table of all times would be a sixth as large as y
// if there are six heads.

// Layout of the workspace: seven lists of 16 numbers, the cosines and sines of up to 16 times, 16 rotated
// rows, then the same rows as a block [D, 16]. The gradients later take the places of the rows and of the
// block.
const FORMS: usize = 0
const SQUARES: usize = 64
const FACTORS: usize = 128
const ENERGIES: usize = 192
/** Lists: the place of a row's λ in [B, H, T] in bytes, its τ, the address of its cosines and sines. */
const PLACES: usize = 256
const TAUS: usize = 320
const TURN_OF: usize = 384
const TURNS: usize = 448

/** Bytes of 16 rows, of the cosines and sines of 16 times, and of a block. All three are equal. */
// @ts-ignore: decorator
@inline
function blockBytes(dim: i32): usize {
  return (<usize>dim) << 6
}

/** Writes the cosines and sines (D/2 f32 each) of time t to `turn`. */
function makeTurn(coarse: usize, fine: usize, shift: i32, t: i32, dim: i32, turn: usize): void {
  const half = (<usize>dim) << 2
  const a = coarse + ((<usize>(t >> shift) * <usize>dim) << 3)
  const b = fine + ((<usize>(t & ((1 << shift) - 1)) * <usize>dim) << 3)
  const sines = turn + (half >> 1)
  let p: usize = 0
  for (; p + 16 <= half; p += 16) {
    const ca = v128.load(a + p)
    const sa = v128.load(a + half + p)
    const cb = v128.load(b + p)
    const sb = v128.load(b + half + p)
    const cos = f64x2.sub(f64x2.mul(ca, cb), f64x2.mul(sa, sb))
    const sin = f64x2.add(f64x2.mul(sa, cb), f64x2.mul(ca, sb))
    v128.store64_lane(turn + (p >> 1), f32x4.demote_f64x2_zero(cos), 0)
    v128.store64_lane(sines + (p >> 1), f32x4.demote_f64x2_zero(sin), 0)
  }
  if (p == half) return
  const ca = load<f64>(a + p)
  const sa = load<f64>(a + half + p)
  const cb = load<f64>(b + p)
  const sb = load<f64>(b + half + p)
  store<f32>(turn + (p >> 1), <f32>(ca * cb - sa * sb))
  store<f32>(sines + (p >> 1), <f32>(sa * cb + ca * sb))
}

/** out = x, clamped and rotated. */
function turnRow(x: usize, turn: usize, dim: i32, limit: f32, out: usize): void {
  const half = (<usize>dim) << 1
  const high = splat(limit)
  const low = splat(-limit)
  for (let p: usize = 0; p < half; p += 16) {
    const left = half - p
    const a = f32x4.pmin(f32x4.pmax(loadNext(x + p, left), low), high)
    const b = f32x4.pmin(f32x4.pmax(loadNext(x + half + p, left), low), high)
    const cos = loadNext(turn + p, left)
    const sin = loadNext(turn + half + p, left)
    storeNext(out + p, fma(b, sin, f32x4.mul(a, cos)), left)
    storeNext(out + half + p, fma(f32x4.neg(a), sin, f32x4.mul(b, cos)), left)
  }
}

/** dX = dOut, rotated back. It is 0 if x was beyond the limit. */
function turnRowBack(x: usize, dOut: usize, turn: usize, dim: i32, limit: f32, dX: usize): void {
  const half = (<usize>dim) << 1
  const high = splat(limit)
  for (let p: usize = 0; p < half; p += 16) {
    const left = half - p
    const a = loadNext(dOut + p, left)
    const b = loadNext(dOut + half + p, left)
    const cos = loadNext(turn + p, left)
    const sin = loadNext(turn + half + p, left)
    const first = fma(f32x4.neg(b), sin, f32x4.mul(a, cos))
    const second = fma(a, sin, f32x4.mul(b, cos))
    const inFirst = f32x4.le(f32x4.abs(loadNext(x + p, left)), high)
    const inSecond = f32x4.le(f32x4.abs(loadNext(x + half + p, left)), high)
    storeNext(dX + p, v128.and(first, inFirst), left)
    storeNext(dX + half + p, v128.and(second, inSecond), left)
  }
}

/** Fills the lists PLACES, TAUS and TURN_OF for rows start … start + count − 1, and the cosines and sines of
 *  their times. */
function describeRows(
  coarse: usize,
  fine: usize,
  shift: i32,
  tau: usize,
  tauHeads: i32,
  start: i32,
  count: i32,
  length: i32,
  heads: i32,
  dim: i32,
  base: usize,
): void {
  let head = start % heads
  let t = (start / heads) % length
  let place = (start / heads / length) * heads * length + t // of head 0
  let turn = base + TURNS
  for (let lane = 0; lane < count; lane++) {
    const list = base + ((<usize>lane) << 2)
    if (lane == 0 || head == 0) makeTurn(coarse, fine, shift, t, dim, turn)
    store<usize>(list + PLACES, (<usize>(place + head * length)) << 2)
    store<f32>(list + TAUS, load<f32>(tau + ((<usize>(head / tauHeads)) << 2)))
    store<usize>(list + TURN_OF, turn)
    if (++head < heads) continue
    head = 0
    turn += (<usize>dim) << 2
    place++
    if (++t < length) continue
    t = 0
    place += (heads - 1) * length
  }
}

/** Loads rows start … start + count − 1 of y, clamped and rotated, as the block. Other lanes are 0. SQUARES
 *  gets their Σr². */
function loadTurned(y: usize, start: i32, count: i32, dim: i32, limit: f32, base: usize): void {
  const row = (<usize>dim) << 2
  const rows = base + TURNS + blockBytes(dim)
  const block = rows + blockBytes(dim)
  for (let lane = 0; lane < count; lane++) {
    const turn = load<usize>(base + TURN_OF + ((<usize>lane) << 2))
    turnRow(y + (<usize>(start + lane)) * row, turn, dim, limit, rows + (<usize>lane) * row)
  }
  packPanels(rows, row, 4, count, dim, LANES, block)
  memory.fill(base + SQUARES, 0, COLUMN)
  addSquares(block, dim, base + SQUARES)
}

/** Q of a row, computed from its Σr². */
// @ts-ignore: decorator
@inline
function denominator(square: f32, dim: i32, eps: f32, normEps: f32): f64 {
  return <f64>square * (1 + <f64>eps / <f64>dim) + <f64>eps * <f64>normEps
}

/** energy and λ = E / (E + τ), [B, H, T], for blocks begin … end−1 of 16 rows. τ of head h is
 *  tau[h / tauHeads]. */
export function rotaryTaumode(
  y: usize,
  coarse: usize,
  fine: usize,
  first: usize,
  upper: usize,
  columns: usize,
  weights: usize,
  rowSums: usize,
  tau: usize,
  energy: usize,
  lambda: usize,
  rows: i32,
  length: i32,
  heads: i32,
  dim: i32,
  shift: i32,
  tauHeads: i32,
  limit: f32,
  eps: f32,
  normEps: f32,
  begin: i32,
  end: i32,
): void {
  const base = workspace()
  const block = base + TURNS + 2 * blockBytes(dim)
  for (let item = begin; item < end; item++) {
    const start = item * LANES
    const count = min(LANES, rows - start)
    describeRows(coarse, fine, shift, tau, tauHeads, start, count, length, heads, dim, base)
    loadTurned(y, start, count, dim, limit, base)
    energyForms(block, first, upper, columns, weights, rowSums, dim, base + FORMS)
    for (let lane = 0; lane < count; lane++) {
      const list = base + ((<usize>lane) << 2)
      const square = denominator(load<f32>(list + SQUARES), dim, eps, normEps)
      const value = quotient(load<f32>(list + FORMS), square)
      const place = load<usize>(list + PLACES)
      store<f32>(energy + place, <f32>value)
      store<f32>(lambda + place, <f32>(value / (value + <f64>load<f32>(list + TAUS))))
    }
  }
}

/** dY [B, T, H, D] and dTau [B, H, T] = −dLambda · E/(E + τ)² per row. dY or dTau 0: not wanted. */
export function rotaryTaumodeGrad(
  y: usize,
  coarse: usize,
  fine: usize,
  first: usize,
  columns: usize,
  weights: usize,
  rowSums: usize,
  tau: usize,
  energy: usize,
  dLambda: usize,
  dY: usize,
  dTau: usize,
  rows: i32,
  length: i32,
  heads: i32,
  dim: i32,
  shift: i32,
  tauHeads: i32,
  limit: f32,
  eps: f32,
  normEps: f32,
  begin: i32,
  end: i32,
): void {
  const base = workspace()
  const gradient = base + TURNS + blockBytes(dim)
  const block = gradient + blockBytes(dim)
  const row = (<usize>dim) << 2
  for (let item = begin; item < end; item++) {
    const start = item * LANES
    const count = min(LANES, rows - start)
    describeRows(coarse, fine, shift, tau, tauHeads, start, count, length, heads, dim, base)
    if (dY) {
      loadTurned(y, start, count, dim, limit, base)
      memory.fill(base + FACTORS, 0, 2 * COLUMN)
    }
    for (let lane = 0; lane < count; lane++) {
      const list = base + ((<usize>lane) << 2)
      const place = load<usize>(list + PLACES)
      const value = load<f32>(energy + place)
      const t = load<f32>(list + TAUS)
      const both = value + t
      const g = load<f32>(dLambda + place) / both // two divisions: both² may leave the range of f32
      if (dTau) store<f32>(dTau + place, -g * (value / both))
      if (!dY || value == 0) continue
      const square = denominator(load<f32>(list + SQUARES), dim, eps, normEps)
      store<f32>(list + FACTORS, <f32>(<f64>(2 * g * (t / both)) / square))
      store<f32>(list + ENERGIES, value * (1 + eps / <f32>dim))
    }
    if (!dY) continue
    energySlopes(block, first, columns, weights, rowSums, dim, base + FACTORS, base + ENERGIES, gradient)
    packPanels(gradient, COLUMN, 4, dim, count, dim, block)
    for (let lane = 0; lane < count; lane++) {
      const turn = load<usize>(base + TURN_OF + ((<usize>lane) << 2))
      const offset = (<usize>(start + lane)) * row
      turnRowBack(y + offset, block + (<usize>lane) * row, turn, dim, limit, dY + offset)
    }
  }
}
