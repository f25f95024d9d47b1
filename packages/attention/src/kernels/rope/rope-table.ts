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

/** The angles of one call, in the open scope, or the caller's to dispose. */
export const anglesOf = (
  device: Device,
  start: number,
  length: number,
  dim: number,
  base: number,
): RopeAngles => ({ values: device.tensor(packedTable(start, length, dim, base), [length, dim]), first: 0 })

/** RoPE's angles of one length of vectors and one base, kept on a device, so that neither the layers of a model nor the tokens of a
 *  generation bring them again. Holds the times from 0 on that it was asked for, up to the next power of two: a sequence that grows to T
 *  times uploads O(log T) tables, 4·D bytes per time. Calls that go beyond `longest` times get rows of their own.
 *  Its memory outlives scopes: dispose it. Throws RangeError for a `longest` that is not a whole number of at least 1. */
export class RopeTable implements Disposable {
  readonly device: Device
  /** D, even. */
  readonly dim: number
  /** Most times that it holds. */
  readonly longest: number
  readonly base: number
  #kept: Tensor | undefined
  #disposed = false

  constructor(device: Device, dim: number, longest: number, base = 10_000) {
    if (!(Number.isInteger(longest) && longest >= 1))
      throw new RangeError(`RopeTable: longest must be a whole number of at least 1, got ${longest}`)
    this.device = device
    this.dim = dim
    this.longest = longest
    this.base = base
  }

  /** For the times from start on: `values` is in the open scope, or the caller's to dispose. */
  at(start: number, length: number): RopeAngles {
    if (this.#disposed)
      throw new Error(
        'RopeTable: must not be used after dispose; keep it as long as the model, or make another',
      )
    const end = start + length
    if (end > this.longest) return anglesOf(this.device, start, length, this.dim, this.base)
    // A view: whoever still needs it keeps the memory when a longer table takes its place.
    return { values: this.#holding(end).view(), first: start }
  }

  /** The table, which holds `times` or more. */
  #holding(times: number): Tensor {
    const { device, dim, longest, base } = this
    if (this.#kept && times <= this.#kept.shape[0]) return this.#kept
    const room = Math.min(longest, 2 ** Math.ceil(Math.log2(times)))
    const longer = device.unscoped(() => anglesOf(device, 0, room, dim, base).values)
    this.#kept?.dispose()
    this.#kept = longer
    return longer
  }

  dispose(): void {
    this.#disposed = true
    this.#kept?.dispose()
    this.#kept = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
