import type { Device } from '@tau/tensor'
import { boundedCache, type FilledCache, kvCache, tauCache } from '../decode/caches.ts'
import { inScopes } from '../harness/devices.ts'
import { ascending, quantile } from '../harness/race.ts'

// Contexts far beyond the paper's: one token of one layer's attention (6 heads of 64, with a decay), up to 1
// Mi positions. The caches are filled in bulk with random λ and v.

export interface ContextTime {
  readonly cache: string
  readonly context: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly cacheBytes: number
}

const CONTEXTS = Array.from({ length: 11 }, (_, i) => 1024 << i)
/** The length from which a bounded cache must not grow. */
const FLAT_FROM = 100 * 1024
const TOKENS = 101
/** The longest context of the dot product. Keys and values of 256 Ki positions are 0.8 GB. The next token
 *  copies them into room for twice as many, and a module has 4 GB. */
const LONGEST = { tau: 2 ** 20, tau_f16: 2 ** 20, tau_bounded: 2 ** 20, dot: 2 ** 18 } as const
const QUICK_LONGEST = 2 ** 17

const make: Readonly<Record<keyof typeof LONGEST, (device: Device) => FilledCache>> = {
  tau: (device) => tauCache(device, true),
  tau_f16: (device) => tauCache(device, true, 'f16'),
  tau_bounded: (device) => boundedCache(device, true),
  dot: (device) => kvCache(device, true),
}

export async function runContexts(
  device: Device,
  quick: boolean,
  onContext: (time: ContextTime) => void,
): Promise<void> {
  for (const label of Object.keys(LONGEST) as (keyof typeof LONGEST)[])
    await inScopes([device], async () => {
      const longest = quick ? Math.min(QUICK_LONGEST, LONGEST[label]) : LONGEST[label]
      using cache = make[label](device)
      const contexts = label === 'tau_bounded' ? [...CONTEXTS, FLAT_FROM].toSorted((a, b) => a - b) : CONTEXTS
      for (const context of contexts) {
        if (context > longest) break
        cache.fill(context)
        const cacheBytes = cache.bytes() // before the next token doubles the room of some
        await cache.step()
        const samples: number[] = []
        for (let token = 0; token < TOKENS; token++) samples.push(await cache.step())
        const sorted = ascending(samples)
        onContext({
          ...{ cache: label, context, cacheBytes },
          ...{ p50Ms: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95), p99Ms: quantile(sorted, 0.99) },
        })
      }
    })
}
