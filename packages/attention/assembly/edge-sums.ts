import { fma, splat } from '@tau/tensor/assembly/simd'

// Sums over the edges of a graph, for a block of 16 vectors. The block lies transposed in the workspace,
// [D, 16]. So an edge takes one multiply-add per vector register, and its column and weight are read once for
// all vectors. The Laplacian is given as edge weights w_ij = −L_ij and row sums ρ_i = Σ_j L_ij. Then
//   xᵀLx = Σ_{i<j} w_ij (x_i − x_j)² + Σ_i ρ_i x_i²,   (Lx)_i = Σ_j w_ij (x_i − x_j) + ρ_i x_i
// This is used in place of Σ L_ij x_i x_j for three reasons:
// - Nothing cancels for vectors that hardly vary over the graph.
// - A constant vector has energy exactly 0 if ρ = 0.
// - xᵀLx visits each edge once.

/** Vectors per block. They fill four registers, so that enough sums run side by side to hide the latency of
 *  an FMA. Two registers ran at 0.65 of the speed. */
export const LANES: i32 = 16
/** Bytes of one element of all vectors. */
export const COLUMN: usize = 64
const COLUMN_SHIFT: usize = 6

/** Entry i of a graph array. The edges of row i are first[i] … first[i + 1]−1, in order of their columns.
 *  Those to a greater column start at upper[i]. */
// @ts-ignore: decorator
@inline
function edge(list: usize, i: i32): i32 {
  return load<i32>(list + ((<usize>i) << 2))
}

/** forms[lane] = xᵀLx of each vector. */
export function energyForms(
  block: usize,
  first: usize,
  upper: usize,
  columns: usize,
  weights: usize,
  rowSums: usize,
  dim: i32,
  forms: usize,
): void {
  memory.fill(forms, 0, 64) // each i is summed by itself first, because short chains round less
  for (let i = 0; i < dim; i++) {
    const here = block + (<usize>i) * COLUMN
    const a0 = v128.load(here)
    const a1 = v128.load(here, 16)
    const a2 = v128.load(here, 32)
    const a3 = v128.load(here, 48)
    const rho = v128.load32_splat(rowSums + ((<usize>i) << 2))
    let s0 = f32x4.mul(f32x4.mul(rho, a0), a0)
    let s1 = f32x4.mul(f32x4.mul(rho, a1), a1)
    let s2 = f32x4.mul(f32x4.mul(rho, a2), a2)
    let s3 = f32x4.mul(f32x4.mul(rho, a3), a3)
    const stop = edge(first, i + 1)
    for (let e = edge(upper, i); e < stop; e++) {
      const there = block + ((<usize>edge(columns, e)) << COLUMN_SHIFT)
      const w = v128.load32_splat(weights + ((<usize>e) << 2))
      const d0 = f32x4.sub(a0, v128.load(there))
      s0 = fma(f32x4.mul(w, d0), d0, s0)
      const d1 = f32x4.sub(a1, v128.load(there, 16))
      s1 = fma(f32x4.mul(w, d1), d1, s1)
      const d2 = f32x4.sub(a2, v128.load(there, 32))
      s2 = fma(f32x4.mul(w, d2), d2, s2)
      const d3 = f32x4.sub(a3, v128.load(there, 48))
      s3 = fma(f32x4.mul(w, d3), d3, s3)
    }
    v128.store(forms, f32x4.add(v128.load(forms), s0))
    v128.store(forms, f32x4.add(v128.load(forms, 16), s1), 16)
    v128.store(forms, f32x4.add(v128.load(forms, 32), s2), 32)
    v128.store(forms, f32x4.add(v128.load(forms, 48), s3), 48)
  }
}

/** result = factor · (Lx − energy·x) of each vector, [D, 16]. factors [16] and energies [16] have one number
 *  per vector. */
export function energySlopes(
  block: usize,
  first: usize,
  columns: usize,
  weights: usize,
  rowSums: usize,
  dim: i32,
  factors: usize,
  energies: usize,
  result: usize,
): void {
  for (let i = 0; i < dim; i++) {
    const here = block + (<usize>i) * COLUMN
    const a0 = v128.load(here)
    const a1 = v128.load(here, 16)
    const a2 = v128.load(here, 32)
    const a3 = v128.load(here, 48)
    const rho = v128.load32_splat(rowSums + ((<usize>i) << 2))
    let s0 = f32x4.mul(rho, a0)
    let s1 = f32x4.mul(rho, a1)
    let s2 = f32x4.mul(rho, a2)
    let s3 = f32x4.mul(rho, a3)
    const stop = edge(first, i + 1)
    for (let e = edge(first, i); e < stop; e++) {
      const there = block + ((<usize>edge(columns, e)) << COLUMN_SHIFT)
      const w = v128.load32_splat(weights + ((<usize>e) << 2))
      s0 = fma(w, f32x4.sub(a0, v128.load(there)), s0)
      s1 = fma(w, f32x4.sub(a1, v128.load(there, 16)), s1)
      s2 = fma(w, f32x4.sub(a2, v128.load(there, 32)), s2)
      s3 = fma(w, f32x4.sub(a3, v128.load(there, 48)), s3)
    }
    const target = result + (<usize>i) * COLUMN
    v128.store(target, slope(factors, energies, a0, s0))
    v128.store(target, slope(factors + 16, energies + 16, a1, s1), 16)
    v128.store(target, slope(factors + 32, energies + 32, a2, s2), 32)
    v128.store(target, slope(factors + 48, energies + 48, a3, s3), 48)
  }
}

// @ts-ignore: decorator
@inline
function slope(factor: usize, energy: usize, x: v128, product: v128): v128 {
  return f32x4.mul(v128.load(factor), f32x4.sub(product, f32x4.mul(v128.load(energy), x)))
}

/** squares[lane] += Σ x² of each vector. */
export function addSquares(block: usize, dim: i32, squares: usize): void {
  const end = block + (<usize>dim) * COLUMN
  let s0 = v128.load(squares)
  let s1 = v128.load(squares, 16)
  let s2 = v128.load(squares, 32)
  let s3 = v128.load(squares, 48)
  for (let p = block; p < end; p += COLUMN) {
    const a0 = v128.load(p)
    const a1 = v128.load(p, 16)
    const a2 = v128.load(p, 32)
    const a3 = v128.load(p, 48)
    s0 = fma(a0, a0, s0)
    s1 = fma(a1, a1, s1)
    s2 = fma(a2, a2, s2)
    s3 = fma(a3, a3, s3)
  }
  v128.store(squares, s0)
  v128.store(squares, s1, 16)
  v128.store(squares, s2, 32)
  v128.store(squares, s3, 48)
}

/** max(0, form / square) in f64, so that λ is rounded only once. 0 / 0 gives 0: a zero vector with ε = 0 has
 *  energy 0. NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function quotient(form: f32, square: f64): f64 {
  return square == 0 ? 0 : max<f64>(0, <f64>form / square)
}
