import fc from 'fast-check'
import type { ReferenceSizes } from '../kernels/lambda-attention/reference.ts'
import { splitReadings, uniform } from './attention-cases.ts'

const ORDERS = ['random', 'sorted', 'reversed', 'opposite', 'equal', 'clusters', 'grid'] as const
const VALUES = ['random', 'constant', 'lambda', 'time'] as const
const DECAYS = ['none', 'still', 'walk', 'leaps'] as const

/** One λ-distance attention, described by its properties. {@link lambdaCase} makes its numbers. */
export interface LambdaSpec {
  readonly sizes: ReferenceSizes
  /** Temperature of the first head. The other heads have larger ones. */
  readonly temperature: number
  /** How λ runs along time. 'opposite': it rises for the keys and falls for the queries. */
  readonly order: (typeof ORDERS)[number]
  /** λ is rounded to multiples of 1 / ties. 0: it is not rounded. */
  readonly ties: number
  readonly values: (typeof VALUES)[number]
  readonly logDecay: (typeof DECAYS)[number]
  /** Whether all batch entries share one decay. */
  readonly shared: boolean
  /** Whether readings come in two parts. */
  readonly parts: boolean
  /** The first reading. */
  readonly start: number
  readonly seed: number
}

/** Numbers of a case. All but the decay's low part are exact in f32. logDecay [B, H, Tk] has the readings
 *  that the kernel should see. */
export interface LambdaCase {
  readonly lambdaQ: Float64Array
  readonly lambdaK: Float64Array
  readonly v: Float64Array
  readonly temperature: Float64Array
  readonly logDecay: Float64Array
  /** Readings as they are passed in: high and low parts, [H, Tk] if shared. */
  readonly given: { readonly high: Float32Array; readonly low: Float32Array }
}

const rounded = (values: Float64Array) => Float64Array.from(Float32Array.from(values))

/** Lengths up to `longest`. Lengths around the borders of leaves and blocks are drawn in a third of the
 *  cases. */
const lengths = (longest: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129) },
    { weight: 4, arbitrary: fc.integer({ min: 3, max: Math.min(400, longest) }) },
    { weight: 2, arbitrary: fc.integer({ min: Math.min(400, longest), max: longest }) },
  )

const sizes = (longest: number): fc.Arbitrary<ReferenceSizes> =>
  fc
    .record({
      batch: fc.constantFrom(1, 1, 2, 3),
      kvHeads: fc.constantFrom(1, 1, 2),
      group: fc.constantFrom(1, 2, 3),
      keys: lengths(longest),
      share: fc.constantFrom(1, 1, 0.7, 0.05),
      dim: fc.constantFrom(1, 3, 4, 7, 8, 12, 16, 20, 33, 64),
    })
    .map(({ batch, kvHeads, group, keys, share, dim }) => ({
      ...{ batch, heads: kvHeads * group, kvHeads, keys, dim },
      queries: Math.ceil(keys * share),
    }))

export const lambdaSpecs = (longest: number): fc.Arbitrary<LambdaSpec> =>
  fc.record({
    sizes: sizes(longest),
    temperature: fc.integer({ min: -400, max: 100 }).map((power) => 10 ** (power / 100)),
    order: fc.constantFrom(...ORDERS),
    ties: fc.constantFrom(0, 0, 4, 64),
    values: fc.constantFrom(...VALUES),
    logDecay: fc.constantFrom(...DECAYS),
    shared: fc.boolean(),
    parts: fc.boolean(),
    start: fc.constantFrom(0, 0, 1e6),
    seed: fc.nat(1e6),
  })

function lambdas(
  { order, ties, seed }: LambdaSpec,
  rows: number,
  length: number,
  first: number,
  descends: boolean,
): Float64Array {
  const noise = uniform(rows * length, seed)
  const at = (i: number): number => {
    const t = (first + (i % length) + noise[i]) / (first + length)
    if (order === 'random') return noise[i]
    if (order === 'equal') return 0.37
    if (order === 'clusters') return (i % 3 === 0 ? 0.2 : 0.8) + noise[i] / 1000
    if (order === 'grid') return ((first + i) % 2048) / 2048
    return descends ? 1 - t : t
  }
  return rounded(
    Float64Array.from({ length: rows * length }, (_, i) => (ties ? Math.round(at(i) * ties) / ties : at(i))),
  )
}

function readings({ logDecay, start, seed }: LambdaSpec, rows: number, length: number): Float64Array {
  const draws = uniform(rows * length, seed + 4)
  const step = (draw: number): number => {
    if (logDecay === 'walk') return draw < 0.2 ? 0 : 2 * draw
    if (logDecay === 'leaps') return draw < 0.02 ? 100 : draw / 50
    return 0
  }
  const found = new Float64Array(rows * length)
  for (let i = 0; i < found.length; i++) found[i] = i % length === 0 ? start : found[i - 1] + step(draws[i])
  return found
}

export function lambdaCase(spec: LambdaSpec): LambdaCase {
  const { batch, heads, kvHeads, queries, keys, dim } = spec.sizes
  const { order, values, seed } = spec
  const lambdaK = lambdas(spec, batch * kvHeads, keys, 0, order === 'reversed')
  const queryOrder = { ...spec, seed: seed + 1 }
  const lambdaQ = lambdas(
    queryOrder,
    batch * heads,
    queries,
    keys - queries,
    order === 'reversed' || order === 'opposite',
  )
  const noise = uniform(batch * kvHeads * keys * dim, seed + 2)
  const valueAt = (i: number): number => {
    const row = Math.floor(i / dim)
    if (values === 'constant') return 0.7
    if (values === 'lambda') return lambdaK[row] + (i % dim)
    if (values === 'time') return (row % keys) / keys + (i % dim)
    return 2 * noise[i] - 1
  }
  const rows = spec.shared ? heads : batch * heads
  const walked = readings(spec, rows, keys)
  const parts = splitReadings(walked)
  const low = spec.parts ? parts.low : parts.low.fill(0)
  const exact = Float64Array.from(parts.high, (high, i) => high + low[i])
  const size = heads * keys
  return {
    lambdaQ,
    lambdaK,
    v: rounded(Float64Array.from(noise, (_, i) => valueAt(i))),
    temperature: rounded(Float64Array.from({ length: heads }, (_, h) => spec.temperature * (1 + h / 2))),
    logDecay: spec.shared ? Float64Array.from({ length: batch * size }, (_, i) => exact[i % size]) : exact,
    given: { high: parts.high, low },
  }
}
