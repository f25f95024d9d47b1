import { ShapeError, shapeText } from '../errors.ts'
import { addInto } from '../kernels/accumulate/accumulate.ts'
import { div } from '../kernels/binary/binary.ts'
import { clamp } from '../kernels/clamp/clamp.ts'
import { globalNorm } from '../kernels/global-norm/global-norm.ts'
import { matmul } from '../kernels/matmul/matmul.ts'
import type { Tensor } from '../tensor.ts'

/** Coefficients a, b, c of σ ← aσ + bσ³ + cσ⁵ for each iteration. They are optimal for singular values from
 *  1e-3 to 1.
 *  Source: Amsel, Persson, Musco and Gower, The Polar Express (2025, arXiv:2505.16932), algorithm 1. */
const POLAR_EXPRESS = [
  [8.28721201814563, -23.595886519098837, 17.300387312530933],
  [4.107059111542203, -2.9478499167379106, 0.5448431082926601],
  [3.9486908534822946, -2.908902115962949, 0.5518191394370137],
  [3.3184196573706015, -2.488488024314874, 0.51004894012372],
  [2.300652019954817, -1.6689039845747493, 0.4188073119525673],
  [1.891301407787398, -1.2679958271945868, 0.37680408948524835],
  [1.8750014808534479, -1.2500016453999487, 0.3750001645474248],
  [1.875, -1.25, 0.375],
] as const

/** Singular values are kept below 1 by this factor, because the polynomials grow without bound above 1. */
const SAFETY = 1.01
/** A matrix with a smaller norm is treated as 0. */
const TINY = 1e-20

export const MAX_ITERATIONS = POLAR_EXPRESS.length

/** The polynomials of the first `iterations` iterations. The very last one converges and needs no safety
 *  factor. */
export const polarExpress = (iterations: number): (readonly [number, number, number])[] =>
  POLAR_EXPRESS.slice(0, iterations).map(([a, b, c], i) =>
    i < MAX_ITERATIONS - 1 ? [a / SAFETY, b / SAFETY ** 3, c / SAFETY ** 5] : [a, b, c],
  )

/** The nearest matrix with orthonormal rows or columns, approximately: about U·Vᵀ for x = U·Σ·Vᵀ.
 *  x [rows, cols] → `size` · `matrix` [rows, cols]; 0 → 0. No gradient. Singular values of at least 1e-3 ·
 *  ‖x‖ become 0.84 to 1.13 after 5 iterations, and 1 within 1e-4 after 8.
 *
 *  It starts at x / ‖x‖ and iterates Y ← aY + (bG + cG²)Y with G = YYᵀ. If x is tall, it iterates Y ← aY +
 *  Y(bG + cG²) with G = YᵀY, so that G has the shorter side. The host multiplies the factors a and returns
 *  them in `size`. This saves a pass over Y in each iteration. */
export function orthogonalize(x: Tensor, iterations: number): { matrix: Tensor; size: number } {
  if (x.rank !== 2)
    throw new ShapeError(`orthogonalize: x must be a matrix, got ${shapeText(x.shape)}; reshape it`)
  const [rows, cols] = x.shape
  const isTall = rows > cols
  const { device } = x
  using scope = device.scope()
  const y = div(x, clamp(globalNorm([x]), TINY, Number.MAX_VALUE))
  let size = 1 / SAFETY // the iterate is size · y
  for (const [a, b, c] of polarExpress(iterations)) {
    using _scope = device.scope()
    const gram = matmul(y, y, isTall ? 'tn' : 'nt')
    const polynomial = matmul(gram, gram)
    addInto(polynomial, gram, b / (c * size ** 2))
    addInto(y, isTall ? matmul(y, polynomial) : matmul(polynomial, y), (c * size ** 4) / a)
    size *= a
  }
  return { matrix: scope.keep(y), size }
}
