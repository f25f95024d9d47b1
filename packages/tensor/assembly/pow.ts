import { place } from './loops'

// Powers by logarithm and exponential in f64, so that f32 results are rounded once. In f32, the rounding
// error of y·log x would be visible after the exponential.

/** log x for positive, finite x, relative error 2e-12: x = m·2ᵉ, m in [√½, √2), log m = 2·artanh((m − 1)/(m +
 *  1)) by its series. */
function log(x: f64): f64 {
  const bits = reinterpret<u64>(x)
  let e = <i32>(bits >> 52) - 1023
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000)
  if (m > 1.4142135623730951) {
    m *= 0.5
    e += 1
  }
  const s = (m - 1) / (m + 1)
  const z = s * s
  let sum = 1.0 / 13.0
  sum = sum * z + 1.0 / 11.0
  sum = sum * z + 1.0 / 9.0
  sum = sum * z + 1.0 / 7.0
  sum = sum * z + 1.0 / 5.0
  sum = sum * z + 1.0 / 3.0
  return 2 * s * (sum * z + 1) + <f64>e * 0.6931471805599453
}

/** eᵗ, relative error 1e-11: Taylor's series of degree 9 for |f| ≤ ln 2 / 2. Beyond the range of f32, the
 *  result rounds to 0 or Infinity in f32. */
function exp(t: f64): f64 {
  const bounded = min(max(t, -700.0), 700.0)
  const n = nearest(bounded * 1.4426950408889634)
  const f = bounded - n * 0.6931471805599453
  let sum = 1.0 / 362880.0
  sum = sum * f + 1.0 / 40320.0
  sum = sum * f + 1.0 / 5040.0
  sum = sum * f + 1.0 / 720.0
  sum = sum * f + 1.0 / 120.0
  sum = sum * f + 1.0 / 24.0
  sum = sum * f + 1.0 / 6.0
  sum = sum * f + 0.5
  sum = (sum * f + 1) * f + 1
  return sum * reinterpret<f64>(<u64>(<i64>n + 1023) << 52)
}

/** x^y by the rules of C. */
function power(x: f64, y: f64): f64 {
  if (y == 0 || x == 1) return 1
  if (x != x || y != y) return NaN
  const size = abs(x)
  const isFinite = size < Infinity
  let result: f64
  if (size == 1) result = 1
  else if (size == 0 || !isFinite) result = (size == 0) == (y > 0) ? 0 : Infinity
  else result = exp(y * log(size))
  if (copysign<f64>(1, x) > 0) return result
  if (floor(y) != y) return size > 0 && isFinite ? NaN : result
  return floor(y * 0.5) == y * 0.5 ? result : -result // Infinity is even
}

/** x^y, ∂/∂x = y·x^(y−1) (0 for y = 0), or ∂/∂y = x^y·log x (0 for x = 0 and y ≥ 0). */
function value(kind: i32, x: f64, y: f64): f64 {
  if (kind == 0) return power(x, y)
  if (kind == 1) return y == 0 ? 0 : y * power(x, y - 1)
  if (x == 0 && y >= 0) return 0
  const logX = x > 0 && x < Infinity ? log(x) : x == 0 ? -Infinity : x > 0 ? x : NaN
  return power(x, y) * logX
}

function powers(kind: i32, a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  for (let i = begin; i < end; ) {
    const length = min(n3 - (i % n3), end - i)
    let x = place(a, i, n1, n2, n3, a0, a1, a2, a3)
    let y = place(b, i, n1, n2, n3, b0, b1, b2, b3)
    for (const stop = i + length; i < stop; i++) {
      store<f32>(out + ((<usize>i) << 2), <f32>value(kind, <f64>load<f32>(x), <f64>load<f32>(y)))
      x += (<usize>a3) << 2
      y += (<usize>b3) << 2
    }
  }
}

export function pow(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  powers(0, a, b, out, n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end)
}

export function powSlopeX(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  powers(1, a, b, out, n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end)
}

export function powSlopeY(a: usize, b: usize, out: usize, n1: i32, n2: i32, n3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void {
  powers(2, a, b, out, n1, n2, n3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end)
}
