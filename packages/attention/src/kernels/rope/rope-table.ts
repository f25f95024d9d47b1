import type { Device, Tensor } from '@tau/tensor'

/** Cosines and sines of the angles (start + t)·base^(−2c/D) for t < length and c < D/2, computed in f64. Each
 *  is [length, D/2]. */
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

/** Tables from time 0, by dim and base. Calls without a {@link RopeTable} share them. They depend on nothing
 *  else. */
const tables = new Map<string, { length: number; values: Float32Array }>()
const KEPT_TABLES = 8

/** For each time D/2 cosines, then D/2 sines: [length, D]. */
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

/** Angles on a device: `values` [times, D] has D/2 cosines and then D/2 sines per time. Row `first` belongs
 *  to the first position. */
export interface RopeAngles {
  readonly values: Tensor
  readonly first: number
}

/** The angles of one call. They belong to the open scope; without one the caller disposes them. */
export const anglesOf = (
  device: Device,
  start: number,
  length: number,
  dim: number,
  base: number,
): RopeAngles => ({ values: device.tensor(packedTable(start, length, dim, base), [length, dim]), first: 0 })

/** RoPE's angles for one vector length and one base, kept on a device. The layers of a model and the tokens
 *  of a generation share them instead of uploading them again. It holds times from 0 up to a power of two, or
 *  `longest`. It grows when a later time is asked for: a sequence of T times uploads O(log T) tables, 4·D
 *  bytes per time. A call that goes beyond `longest` gets rows of its own. Its memory outlives scopes:
 *  dispose it. Throws RangeError if `longest` is not a whole number of at least 1. */
export class RopeTable implements Disposable {
  readonly device: Device
  /** D, even. */
  readonly dim: number
  /** The largest number of times that it holds. */
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

  /** The angles of the times from `start` on. `values` belongs to the open scope; without one the caller
   *  disposes it. */
  at(start: number, length: number): RopeAngles {
    if (this.#disposed)
      throw new Error(
        'RopeTable: must not be used after dispose; keep it as long as the model, or create a new one',
      )
    const end = start + length
    if (end > this.longest) return anglesOf(this.device, start, length, this.dim, this.base)
    // A view keeps the memory alive for its user when a longer table replaces this one.
    return { values: this.#holding(end).view(), first: start }
  }

  /** The table, grown to hold at least `times` times. */
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
