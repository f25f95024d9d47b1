import {
  BackendError,
  clamp,
  permute,
  record,
  reshape,
  rmsNorm,
  ShapeError,
  shapeText,
  sum,
  type Tensor,
} from '@tau/tensor'
import { checkRank, type Handle } from '@tau/tensor/kernel'
import { DEFAULT_EPS } from '../../constants.ts'
import type { LaplacianTensor } from '../../laplacian-tensor.ts'
import { checkAngles, type RopeOptions, rope } from '../rope/rope.ts'
import { ropeTables } from '../rope/rope-table.ts'
import { kernelsOf } from '../table.ts'
import { taumode } from '../taumode/taumode.ts'

export interface RotaryTaumodeOptions extends RopeOptions {
  /** Heads, or vectors per position: y is [B, T, heads·D]. */
  heads: number
  /** Elements of y are limited to ±clamp, where 0 < clamp ≤ 10¹². Elements beyond it have gradient 0. */
  clamp: number
  /** ε of the Rayleigh quotient. */
  eps?: number
}

/** Sizes and constants of one call. */
export interface RotaryTaumodeShape {
  readonly batch: number
  readonly length: number
  readonly heads: number
  /** D, even. */
  readonly dim: number
  readonly clamp: number
  readonly eps: number
  readonly normEps: number
}

/** τ of head h is values[floor(h / heads)]. */
export interface TauOfHeads {
  readonly values: Handle
  readonly heads: number
}

/** Angles of RoPE in two short f64 tables, `coarse` and `fine`; see {@link angleTables}. */
export interface Angles {
  readonly coarse: Handle
  readonly fine: Handle
  readonly shift: number
}

/** energy and lambda [B, H, T] of y [B, T, H, D]: see {@link rotaryTaumode}. */
export type RotaryTaumodeKernel = (
  y: Handle,
  angles: Angles,
  laplacian: LaplacianTensor,
  tau: TauOfHeads,
  out: { readonly energy: Handle; readonly lambda: Handle },
  shape: RotaryTaumodeShape,
) => void

/** dY [B, T, H, D] and dTau [B, H, T], one per vector. An undefined output is not computed. */
export type RotaryTaumodeGradKernel = (
  y: Handle,
  angles: Angles,
  laplacian: LaplacianTensor,
  tau: TauOfHeads,
  upstream: { readonly energy: Handle; readonly dLambda: Handle },
  out: { readonly dY: Handle | undefined; readonly dTau: Handle | undefined },
  shape: RotaryTaumodeShape,
) => void

/** ε of rmsNorm, the same as its default. */
const NORM_EPS = 1e-6
/** With this limit, squares of clamped elements and their sums fit into f32. */
const LARGEST_CLAMP = 1e12

/** λ of the heads of a projection: the queries or keys of λ-distance attention
 *  (docs/definition.md, section 4). y [B, T, H·D] is limited to ±clamp, split into heads, rotated by RoPE and
 *  divided by its root mean square. Then {@link taumode} with L [D, D] → [B, H, T]. τ > 0 is a number, or one
 *  per head [Hτ], where Hτ divides H. Gradients go to y and to a tensor τ. They need only y and one number
 *  per vector; nothing else is kept. On a backend without the fused kernel this is
 *  {@link composedRotaryTaumode}. */
export function rotaryTaumode(
  y: Tensor,
  laplacian: LaplacianTensor,
  tau: number | Tensor,
  options: RotaryTaumodeOptions,
): Tensor {
  const { device } = y
  const { start, base, ...shape } = checkShape(y, laplacian, tau, options)
  const { rotaryTaumode: forward, rotaryTaumodeGrad: backward } = kernelsOf(device)
  if (!forward || !backward) return composedRotaryTaumode(y, laplacian, tau, options)
  const { batch, heads, length } = shape
  const tauTensor = typeof tau === 'number' ? device.scalar(tau) : tau
  const tauOfHeads = { values: tauTensor.handle, heads: heads / tauTensor.size }
  const { coarse, fine, shift } = angleTables(length, shape.dim, start, base)
  const tables = { coarse: device.tensor(coarse), fine: device.tensor(fine) }
  const angles = { coarse: tables.coarse.handle, fine: tables.fine.handle, shift }
  const energy = device.empty([batch, heads, length])
  const lambda = device.empty([batch, heads, length])
  const out = { energy: energy.handle, lambda: lambda.handle }
  forward(y.handle, angles, laplacian, tauOfHeads, out, shape)
  if (!device.tape) {
    for (const tensor of [tables.coarse, tables.fine, energy]) tensor.dispose()
    if (tauTensor !== tau) tauTensor.dispose()
  }
  return record('rotaryTaumode', [y, tauTensor], lambda, (dLambda, [wantY, wantTau]) => {
    const dY = wantY ? device.empty(y.shape) : undefined
    const dTau = wantTau ? device.empty(lambda.shape) : undefined
    const upstream = { energy: energy.handle, dLambda: dLambda.handle }
    backward(
      ...([y.handle, angles, laplacian, tauOfHeads, upstream] as const),
      { dY: dY?.handle, dTau: dTau?.handle },
      shape,
    )
    if (!dTau) return [dY ?? null, null]
    const perHead = dTau.view([batch, tauTensor.size, tauOfHeads.heads * length])
    return [dY ?? null, sum(perHead, [0, 2]).view(tauTensor.shape)]
  })
}

/** The same from single operations. Backends without the fused kernel run it, and benches compare the fused
 *  kernel with it. */
export function composedRotaryTaumode(
  y: Tensor,
  laplacian: LaplacianTensor,
  tau: number | Tensor,
  options: RotaryTaumodeOptions,
): Tensor {
  if (y.device.tape) return compose(y, laplacian, tau, options)
  using scope = y.device.scope()
  return scope.keep(compose(y, laplacian, tau, options))
}

function compose(
  y: Tensor,
  laplacian: LaplacianTensor,
  tau: number | Tensor,
  { heads, clamp: limit, eps, ...angles }: RotaryTaumodeOptions,
): Tensor {
  const [batch, length] = y.shape
  const vectors = reshape(clamp(y, -limit, limit), [batch, length, heads, laplacian.dim])
  const turned = rope(permute(vectors, [0, 2, 1, 3]), angles)
  return taumode(rmsNorm(turned, NORM_EPS), laplacian, tau, { eps })
}

interface AngleTables {
  readonly coarse: Float32Array
  readonly fine: Float32Array
  readonly shift: number
}

/** The newest tables by their arguments. Every layer of a step asks twice for the same one. */
const kept = new Map<string, AngleTables>()
const KEPT_TABLES = 8

/** Two tables of cosines and sines, D/2 each, as f64 in pairs of f32 words. `coarse` has the times
 *  start + 2^shift·i, `fine` has the times i < 2^shift. Any time from `start` on is a sum of one of each. So
 *  about 2√T rows take the place of T. */
function angleTables(length: number, dim: number, start: number, base: number): AngleTables {
  const key = `${length} ${dim} ${start} ${base}`
  const found = kept.get(key)
  if (found) return found
  const shift = Math.floor(Math.log2(Math.max(1, length)) / 2)
  const step = 2 ** shift
  const rows = (count: number, first: number, by: number) => {
    const table = new Float64Array(count * dim)
    for (let i = 0; i < count; i++) {
      const { cos, sin } = ropeTables(first + i * by, 1, dim, base)
      table.set(cos, i * dim)
      table.set(sin, i * dim + dim / 2)
    }
    return new Float32Array(table.buffer)
  }
  const tables = { coarse: rows(Math.ceil(length / step), start, step), fine: rows(step, 0, 1), shift }
  const [oldest] = kept.keys()
  if (kept.size >= KEPT_TABLES) kept.delete(oldest)
  kept.set(key, tables)
  return tables
}

function checkShape(
  y: Tensor,
  laplacian: LaplacianTensor,
  tau: number | Tensor,
  options: RotaryTaumodeOptions,
): RotaryTaumodeShape & { readonly start: number; readonly base: number } {
  checkRank('rotaryTaumode', 'y', y, 3)
  const { heads, clamp: limit, eps = DEFAULT_EPS } = options
  const { dim } = laplacian
  const [batch, length, width] = y.shape
  if (y.rank !== 3 || !(Number.isInteger(heads) && heads >= 1) || width !== heads * dim)
    throw new ShapeError(
      `rotaryTaumode: y must be [B, T, heads·D] for ${heads} heads and L [${dim}, ${dim}], got ${shapeText(y.shape)}`,
    )
  if (dim % 2 !== 0)
    throw new ShapeError(
      `rotaryTaumode: vectors must have an even length to be rotated, got L [${dim}, ${dim}]`,
    )
  const angles = checkAngles('rotaryTaumode', y, dim, options)
  if (!(limit > 0 && limit <= LARGEST_CLAMP))
    throw new RangeError(`rotaryTaumode: clamp must be above 0 and at most ${LARGEST_CLAMP}, got ${limit}`)
  if (!(eps >= 0 && eps < Infinity))
    throw new RangeError(`rotaryTaumode: eps must be at least 0 and finite, got ${eps}`)
  const tauCount = typeof tau === 'number' ? 1 : tau.size
  if (typeof tau === 'number' && !(tau > 0 && tau < Infinity))
    throw new RangeError(`rotaryTaumode: tau must be above 0 and finite, got ${tau}`)
  if (typeof tau !== 'number' && (tau.rank > 1 || heads % tauCount !== 0))
    throw new ShapeError(
      `rotaryTaumode: tau must be a number or [Hτ] with Hτ dividing ${heads} heads, got ${shapeText(tau.shape)}; for one τ per vector call rope, rmsNorm and taumode`,
    )
  if (laplacian.device !== y.device || (typeof tau !== 'number' && tau.device !== y.device))
    throw new BackendError('rotaryTaumode: y, the Laplacian and tau must live on one device, got another')
  return { batch, length, heads, dim, clamp: limit, eps, normEps: NORM_EPS, ...angles }
}
