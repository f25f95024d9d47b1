import type { Device, Tensor } from '@tau/tensor'

/** Cosines and sines of the angles (start + t)·base^(−2c/D), t < length, c < D/2, computed in f64: [length, D/2] each. */
export function ropeTables(
  start: number,
  length: number,
  dim: number,
  base = 10_000,
): { cos: Float64Array; sin: Float64Array } {
  const half = dim / 2
  const cos = new Float64Array(length * half)
  const sin = new Float64Array(length * half)
  const frequencies = Float64Array.from({ length: half }, (_, c) => base ** ((-2 * c) / dim))
  for (let t = 0; t < length; t++)
    frequencies.forEach((frequency, c) => {
      cos[t * half + c] = Math.cos((start + t) * frequency)
      sin[t * half + c] = Math.sin((start + t) * frequency)
    })
  return { cos, sin }
}

/** Tables from time 0 by dim and base: pure values, kept for calls that bring no {@link RopeTable}. */
const tables = new Map<string, { length: number; values: Float32Array }>()
const KEPT_TABLES = 8

/** D/2 cosines, then D/2 sines, for each time: [length, D]. */
function packedTable(start: number, length: number, dim: number, base: number): Float32Array {
  const key = `${dim} ${base}`
  const kept = tables.get(key)
  if (kept && start + length <= kept.length) return kept.values.subarray(start * dim, (start + length) * dim)
  const { cos, sin } = ropeTables(start, length, dim, base)
  const half = dim / 2
  const values = new Float32Array(length * dim)
  for (let t = 0; t < length; t++) {
    values.set(cos.subarray(t * half, (t + 1) * half), t * dim)
    values.set(sin.subarray(t * half, (t + 1) * half), t * dim + half)
  }
  if (start === 0) {
    const [oldest] = tables.keys()
    if (!kept && tables.size >= KEPT_TABLES) tables.delete(oldest)
    tables.set(key, { length, values })
  }
  return values
}

/** Angles on a device: row `first` of `values` [times, D], D/2 cosines and then D/2 sines, is that of the first position. */
export interface RopeAngles {
  readonly values: Tensor
  readonly first: number
}

/** The angles of one call, in the open scope. */
export const anglesOf = (
  device: Device,
  start: number,
  length: number,
  dim: number,
  base: number,
): RopeAngles => ({ values: device.tensor(packedTable(start, length, dim, base), [length, dim]), first: 0 })

/** RoPE's angles of one length of vectors and one base, kept on a device, so that the layers of a model do not bring them again in every step.
 *  Holds the times of the longest sequence from time 0 that it was asked for; a continuation beyond it gets rows of its own. Its memory outlives
 *  scopes: dispose it. */
export class RopeTable implements Disposable {
  readonly device: Device
  /** D, even. */
  readonly dim: number
  readonly base: number
  #kept: Tensor | undefined

  constructor(device: Device, dim: number, base = 10_000) {
    this.device = device
    this.dim = dim
    this.base = base
  }

  /** For the times from start on, to be used while the open scope is. */
  at(start: number, length: number): RopeAngles {
    const { device, dim, base } = this
    const times = this.#kept?.shape[0] ?? 0
    if (start > 0 && start + length > times) return anglesOf(device, start, length, dim, base)
    if (length > times) {
      this.dispose()
      this.#kept = device.unscoped(() => anglesOf(device, 0, length, dim, base).values)
    }
    // A view: whoever still needs it keeps the memory when a longer table takes its place.
    return this.#kept
      ? { values: this.#kept.view(), first: start }
      : anglesOf(device, start, length, dim, base)
  }

  dispose(): void {
    this.#kept?.dispose()
    this.#kept = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
