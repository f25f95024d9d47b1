import { type TauPolicy, tauFromEnergies } from '@tau/graph'
import { BackendError, record, ShapeError, shapeText, sizeOf, sum, type Tensor } from '@tau/tensor'
import { checkRank, type Handle, refuseTape } from '@tau/tensor/kernel'
import { DEFAULT_EPS } from '../../constants.ts'
import type { LaplacianTensor } from '../../laplacian-tensor.ts'
import { kernelsOf } from '../table.ts'

/** τ of row r is values[floor(r / inner) mod count]. */
export interface TauOfRows {
  readonly values: Handle
  readonly inner: number
  readonly count: number
}

/** energy[r] = max(0, xᵀLx / (xᵀx + eps)), lambda[r] = E / (E + τ_r) for x [rows, laplacian.dim]. */
export type TaumodeKernel = (
  x: Handle,
  laplacian: LaplacianTensor,
  tau: TauOfRows,
  energy: Handle,
  lambda: Handle,
  rows: number,
  eps: number,
) => void

/** dX = dLambda · τ/(E + τ)² · 2(Lx − E·x)/(xᵀx + eps) if E > 0, else 0; dTau[r] = −dLambda · E/(E + τ)² per
 *  row. An undefined output is not computed. */
export type TaumodeGradKernel = (
  x: Handle,
  laplacian: LaplacianTensor,
  tau: TauOfRows,
  energy: Handle,
  dLambda: Handle,
  out: { readonly dX: Handle | undefined; readonly dTau: Handle | undefined },
  rows: number,
  eps: number,
) => void

/** Rayleigh energy of each vector: E = max(0, xᵀLx / (xᵀx + eps)), in the unit of L
 *  (docs/definition.md, section 2). x [..., D] → [...]. Vectors are scaled before they are squared, so no
 *  vector that fits f32 overflows. It has no gradient: use {@link taumode}. */
export function rayleighEnergy(x: Tensor, laplacian: LaplacianTensor, { eps = DEFAULT_EPS } = {}): Tensor {
  refuseTape('rayleighEnergy', x)
  const rows = checkVectors('rayleighEnergy', x, laplacian, eps)
  const { device } = x
  const energy = device.empty(x.shape.slice(0, -1))
  using one = device.scalar(1)
  using lambda = device.empty(energy.shape)
  const tau = { values: one.handle, inner: 1, count: 1 }
  kernelsOf(device).taumode(x.handle, laplacian, tau, energy.handle, lambda.handle, rows, eps)
  return energy
}

/** One τ for all vectors of a batch, chosen from their energies by `policy` (see @tau/graph); at least 1e-10.
 *  It reads every token. So use it for calibration before training, not inside a causal model. */
export async function calibrateTau(
  x: Tensor,
  laplacian: LaplacianTensor,
  policy: TauPolicy,
  { eps = DEFAULT_EPS } = {},
): Promise<number> {
  using energy = rayleighEnergy(x, laplacian, { eps })
  return tauFromEnergies(await energy.data(), policy)
}

/** taumode: one bounded scalar per vector (docs/definition.md, section 2).
 *    E = max(0, xᵀLx / (xᵀx + eps)),   λ = E / (E + τ),   0 ≤ λ < 1
 *  In f32 λ rounds to 1 if E is above 10⁷·τ. x [..., D] · L [D, D] → λ [...], no unit; O(edges of L) per
 *  vector. τ > 0 is one of:
 *  - a number, or one value [1];
 *  - one value per head [Hτ] for x [..., H, T, D], with H a multiple of Hτ: head h reads τ[h // (H/Hτ)];
 *  - one value per vector, in the shape of λ.
 *  Gradients go to x and to a tensor τ. The gradient to x is 0 if E is 0. Source: Tauformer, TechRxiv
 *  10.36227/techrxiv.176800983.30631144. It departs from the paper: τ does not come from the vector's own
 *  components (see referenceTau), and L is sparse. */
export function taumode(
  x: Tensor,
  laplacian: LaplacianTensor,
  tau: number | Tensor,
  { eps = DEFAULT_EPS } = {},
): Tensor {
  const rows = checkVectors('taumode', x, laplacian, eps)
  if (typeof tau === 'number' && !(tau > 0 && tau < Infinity))
    throw new RangeError(`taumode: tau must be above 0 and finite, got ${tau}`)
  const { device } = x
  const shape = x.shape.slice(0, -1)
  const tauTensor = typeof tau === 'number' ? device.scalar(tau) : tau
  if (tauTensor.device !== device)
    throw new BackendError('taumode: tau must live on the device of x, got another one')
  const { inner, count } = tauLayout(shape, tauTensor)
  const tauOfRows = { values: tauTensor.handle, inner, count }
  const energy = device.empty(shape)
  const lambda = device.empty(shape)
  const kernels = kernelsOf(device)
  kernels.taumode(x.handle, laplacian, tauOfRows, energy.handle, lambda.handle, rows, eps)
  return record('taumode', [x, tauTensor], lambda, (dLambda, [wantX, wantTau]) => {
    const dX = wantX ? device.empty(x.shape) : undefined
    const dTau = wantTau ? device.empty(shape) : undefined
    const out = { dX: dX?.handle, dTau: dTau?.handle }
    kernels.taumodeGrad(x.handle, laplacian, tauOfRows, energy.handle, dLambda.handle, out, rows, eps)
    if (!dTau) return [dX ?? null, null]
    const outer = rows / (inner * count)
    return [dX ?? null, sum(dTau.view([outer, count, inner]), [0, 2]).view(tauTensor.shape)]
  })
}

function tauLayout(shape: readonly number[], tau: Tensor): { inner: number; count: number } {
  if (tau.size === 1) return { inner: Math.max(1, sizeOf(shape)), count: 1 }
  if (tau.rank === shape.length && tau.shape.every((n, axis) => n === shape[axis]))
    return { inner: 1, count: sizeOf(shape) }
  const heads = shape.length >= 2 ? shape[shape.length - 2] : 0
  const count = tau.shape[0]
  if (tau.rank === 1 && heads > 0 && heads % count === 0)
    return { inner: (heads / count) * shape[shape.length - 1], count }
  throw new ShapeError(
    `taumode: tau must be a number, [Hτ] with Hτ dividing ${heads} heads, or ${shapeText(shape)}, got ${shapeText(tau.shape)}`,
  )
}

function checkVectors(op: string, x: Tensor, laplacian: LaplacianTensor, eps: number): number {
  checkRank(op, 'x', x, 1)
  const { dim } = laplacian
  if (x.shape[x.rank - 1] !== dim)
    throw new ShapeError(
      `${op}: L must be [D, D] = [${x.shape[x.rank - 1]}, ${x.shape[x.rank - 1]}] for x ${shapeText(x.shape)}, got [${dim}, ${dim}]; rebuild the graph on head features`,
    )
  if (laplacian.device !== x.device)
    throw new BackendError(`${op}: the Laplacian must live on the device of x, got another one`)
  if (!(eps >= 0 && eps < Infinity))
    throw new RangeError(`${op}: eps must be at least 0 and finite, got ${eps}`)
  return x.size / dim
}
