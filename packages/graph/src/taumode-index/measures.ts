import type { DenseMatrix } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import type { Csr } from '../sparse/csr.ts'
import { edgeDispersion } from '../taumode/dispersion.ts'
import { rayleighEnergies, type TauPolicy, tauFromComponents, tauFromEnergies } from '../taumode/taumode.ts'
import { partOf, type WatchOptions } from '../watch/watch.ts'

/** The settings by which an index turns a vector into λ. */
export interface Definition {
  readonly laplacian: Csr
  readonly policy: TauPolicy
  /** weight of the dispersion in λ, 0 to 1 */
  readonly dispersion: number
  /** ε of the Rayleigh quotient */
  readonly eps: number
}

/** The parts of λ, for every row. */
export interface Measures {
  readonly energy: Float64Array
  /** G; zeros if its weight is 0 */
  readonly dispersion: Float64Array
  /** for a reference policy, τ from each row's own components; else zeros, because all rows share τ */
  readonly ownTau: Float64Array
}

/** Whether τ comes from each vector's own components. Then there is nothing to calibrate. */
export const hasOwnTau = ({ name }: TauPolicy): boolean =>
  name === 'reference-median' || name === 'reference-mean'

/** The τ that all items share, from their energies. It is undefined for a reference policy, and for a policy
 *  that needs energies and gets none. Throws GraphError for an unknown policy or a value out of range. */
export const sharedTau = (policy: TauPolicy, energies: Float64Array): number | undefined => {
  if (hasOwnTau(policy)) return undefined
  const tau = tauFromEnergies(energies, policy)
  return energies.length > 0 || policy.name === 'fixed' ? tau : undefined
}

export const measure = (
  x: DenseMatrix,
  { laplacian, policy, dispersion, eps }: Definition,
  options: WatchOptions,
): Measures => ({
  energy: rayleighEnergies(x, laplacian, eps, partOf(options, 0, 0.4)),
  dispersion:
    dispersion > 0 ? edgeDispersion(x, laplacian, partOf(options, 0.4, 0.8)) : new Float64Array(x.rows),
  ownTau:
    policy.name === 'reference-median' || policy.name === 'reference-mean'
      ? tauFromComponents(x, policy, eps, partOf(options, 0.8, 1))
      : new Float64Array(x.rows),
})

/** λ = (1 − δ) E / (E + τ) + δ G of every row, where δ is the weight of the dispersion. If `tau` is
 *  undefined, each row has its own τ. Throws GraphError if λ is NaN, because L or the row is so large that E
 *  overflows. */
export const lambdas = (
  op: string,
  { energy, dispersion, ownTau }: Measures,
  tau: number | undefined,
  weight: number,
): Float64Array => {
  const out = new Float64Array(energy.length)
  for (let n = 0; n < out.length; n++) {
    const bounded = energy[n] / (energy[n] + (tau ?? ownTau[n]))
    out[n] = Math.min(1, (1 - weight) * bounded + weight * dispersion[n])
    if (Number.isNaN(out[n])) {
      throw new GraphError(
        `${op}: energies and dispersions must be finite, got ${energy[n]} and ${dispersion[n]} for row ${n}; scale L`,
      )
    }
  }
  return out
}
