import type { UnaryOp } from './unary.ts'

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** Φ(x), the normal distribution function: a series around 0, a continued fraction in the tails. */
function normalCdf(x: number): number {
  const size = Math.abs(x)
  const density = Math.exp(-(size * size) / 2) / Math.sqrt(2 * Math.PI)
  let tail: number
  if (size < 2.5) {
    let sum = 0 // size + size³/3 + size⁵/(3·5) + …
    for (let n = 1, term = size; n < 120; n += 2, term *= (size * size) / n) sum += term
    tail = 0.5 - density * sum
  } else {
    let fraction = size // size + 1/(size + 2/(size + 3/…))
    for (let n = 200; n >= 1; n--) fraction = size + n / fraction
    tail = density / fraction
  }
  return x < 0 ? tail : 1 - tail
}

const GATE = 2 * Math.sqrt(2 / Math.PI)

/** The operations in f64. */
export const unaryReference: Record<UnaryOp, (x: number) => number> = {
  neg: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  abs: Math.abs,
  relu: (x) => Math.max(x, 0),
  sigmoid,
  silu: (x) => x * sigmoid(x),
  tanh: Math.tanh,
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  reciprocal: (x) => 1 / x,
  gelu: (x) => x * normalCdf(x),
  geluTanh: (x) => x * sigmoid(GATE * (x + 0.044715 * x ** 3)), // (1 + tanh u) / 2 = sigmoid(2u)
}
