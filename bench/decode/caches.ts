import { BoundedTauCache, constantDecay, KvCache, TauCache } from '@tau/attention'
import { type Device, Random, type Tensor } from '@tau/tensor'

// Caches of tau-30m's attention, filled with random positions, for timing one token at any context.

export const HEADS = 6
export const DIM = 64
/** The temperature with which the default preset starts. */
const TEMPERATURE = 0.05
/** Positions of one bulk append, as a prefill in chunks does it. */
const CHUNK = 16_384
/** Decay per token for a half-life of about 170 tokens: the slowest head of the default preset. */
const RATE = 0.004

/** Size of a pool of random numbers. Vectors are cut from the pool at random places, because drawing a million
 *  positions would take longer than caching them. */
const POOL = 2 * CHUNK * HEADS * DIM
let drawn: Float32Array | undefined
function pool(): Float32Array {
  const random = new Random(7)
  drawn ??= Float32Array.from({ length: POOL }, () => 2 * random.float() - 1)
  return drawn
}

/** A cache that makes its own random tokens. */
export interface FilledCache extends Disposable {
  readonly label: string
  readonly length: number
  /** Appends random positions until there are `length`. */
  fill(length: number): void
  /** Appends one token and attends with its queries: milliseconds. */
  step(): Promise<number>
  bytes(): number
}

interface Positions {
  readonly queries: Tensor
  readonly keys: Tensor
  readonly v: Tensor
  readonly logDecay: { readonly high: Tensor; readonly low: Tensor } | undefined
}

interface Kind {
  readonly label: string
  /** Length of a query and of a key: 1 for λ. */
  readonly width: number
  readonly cache: { readonly length: number; bytes(): number; dispose(): void }
  append(positions: Positions): void
  attend(queries: Tensor): Tensor
}

const sharedOptions = (decay: boolean) => ({ batch: 1, heads: HEADS, kvHeads: HEADS, valueDim: DIM, decay })

/** The exact cache of (λk, v). */
export function tauCache(
  device: Device,
  decay: boolean,
  values: 'f32' | 'f16' | 'int8' = 'f32',
): FilledCache {
  const temperature = device.tensor(new Float32Array(HEADS).fill(TEMPERATURE))
  const cache = new TauCache(device, { ...sharedOptions(decay), temperature, values })
  return filled(device, decay, {
    label: values === 'f32' ? 'tau' : `tau_${values}`,
    width: 1,
    cache,
    append: ({ keys, v, logDecay }) => cache.append({ lambdaK: keys, v, logDecay }),
    attend: (lambdaQ) => cache.attend({ lambdaQ }),
  })
}

/** The cache of sums over bins of λ, whose size does not depend on the context. */
export function boundedCache(device: Device, decay: boolean, bins = 1024): FilledCache {
  const temperature = device.tensor(new Float32Array(HEADS).fill(TEMPERATURE))
  const cache = new BoundedTauCache(device, { ...sharedOptions(decay), temperature, bins })
  return filled(device, decay, {
    label: 'tau_bounded',
    width: 1,
    cache: { length: 0, bytes: () => cache.bytes(), dispose: () => cache[Symbol.dispose]() },
    append: ({ keys, v, logDecay }) => cache.append({ lambdaK: keys, v, logDecay }),
    attend: (lambdaQ) => cache.attend({ lambdaQ }),
  })
}

/** The dot product's cache of (k, v). */
export function kvCache(device: Device, decay: boolean): FilledCache {
  const cache = new KvCache(device, sharedOptions(decay))
  return filled(device, decay, {
    label: 'dot',
    width: DIM,
    cache,
    append: ({ keys, v, logDecay }) => cache.append({ k: keys, v, logDecay }),
    attend: (q) => cache.attend({ q }),
  })
}

function filled(device: Device, hasDecay: boolean, kind: Kind): FilledCache {
  const random = new Random(1)
  let length = 0
  const make = (count: number): Positions => {
    const vectors = () => {
      const at = random.integer(POOL - count * HEADS * DIM + 1)
      return device.tensor(pool().subarray(at, at + count * HEADS * DIM), [1, HEADS, count, DIM])
    }
    const lambdas = () => {
      const values = Float32Array.from({ length: HEADS * count }, () => random.float())
      return device.tensor(values, [1, HEADS, count])
    }
    const keys = kind.width === 1 ? lambdas : vectors
    const rates = device.tensor(new Float32Array(HEADS).fill(RATE))
    const readings = hasDecay ? constantDecay(rates, count, length) : undefined
    const shaped = (part: Tensor) => part.view([1, HEADS, count])
    return {
      queries: keys(),
      keys: keys(),
      v: vectors(),
      logDecay: readings && { high: shaped(readings.high), low: shaped(readings.low) },
    }
  }
  return {
    label: kind.label,
    get length() {
      return length
    },
    fill(target) {
      while (length < target) {
        using _scope = device.scope()
        const count = Math.min(CHUNK, target - length)
        kind.append(make(count))
        length += count
      }
    },
    async step() {
      const scope = device.scope()
      try {
        const positions = make(1)
        const start = performance.now()
        kind.append(positions)
        const out = await kind.attend(positions.queries).data()
        const ms = performance.now() - start
        if (!out.every(Number.isFinite))
          throw new Error(
            `bench: attention of ${kind.label} must be finite, got other values at ${length} positions`,
          )
        length++
        return ms
      } finally {
        scope[Symbol.dispose]()
      }
    },
    bytes: () => kind.cache.bytes(),
    [Symbol.dispose]: () => kind.cache.dispose(),
  }
}
