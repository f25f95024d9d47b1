import { onDevices } from '../harness/devices.ts'
import { benchLine, deviceLabel, itemRate, timesText, timeText } from '../harness/lines.ts'
import { median, p95, ratioOf, timingOf } from '../harness/race.ts'
import type { GroupContext } from '../registry.ts'
import { boundedCache, type FilledCache, kvCache, tauCache } from './caches.ts'

const CONTEXTS = [1024, 4096, 16_384, 65_536, 262_144] as const
/** The longest context of the dot product. Beyond it, a token takes longer than its figure is worth. */
const LONGEST_DOT = 65_536
const [SHORT, LONG] = [1024, 65_536]
const WARM_UP = 1
/** Turns of each cache, and tokens in a turn. The first tokens of a turn replace what other caches left in
 *  the processor's caches. */
const TURNS = 7
const TURN_TOKENS = 15
/** Turns for two contexts of one kind of cache, to measure the ratio of their times. */
const PAIR_WARM_UP = 10
const PAIR_TURNS = 21
const NAME = 'decode/attention'

/** One token of attention (append and attend, 6 heads of 64) at growing contexts. The caches take turns, one
 *  token each. */
export async function runDecodeAttention(context: GroupContext): Promise<number> {
  const names = CONTEXTS.map((length) => `${NAME}/T${length}`)
  const wanted = CONTEXTS.filter((_, i) => names[i].includes(context.filter))
  if (wanted.length === 0) return 0
  await onDevices([1], context, async ([device]) => {
    for (const hasDecay of [false, true])
      for (const length of wanted) {
        const caches = [
          tauCache(device, hasDecay),
          tauCache(device, hasDecay, 'f16'),
          tauCache(device, hasDecay, 'int8'),
          boundedCache(device, hasDecay),
          ...(length <= LONGEST_DOT ? [kvCache(device, hasDecay)] : []),
        ]
        try {
          for (const cache of caches) cache.fill(length)
          const bytes = caches.map((cache) => cache.bytes())
          const samples = await inTurns(caches)
          const suffix = `${hasDecay ? '_clock' : ''}`
          caches.forEach((cache, i) => {
            const name = `${NAME}${suffix}/T${length}/${cache.label}`
            const timing = timingOf(deviceLabel(device), samples[i])
            context.line(
              benchLine(`${name} [1, 6, 1, 64]`, timing, itemRate(timing, { count: 1, unit: 'tokens' }), [
                `p95 ${timeText(p95(samples[i]))}`,
                `cold ${timeText(coldOf(samples[i]))}`,
                `cache ${(bytes[i] / 2 ** 20).toFixed(1)} MiB`,
              ]),
            )
            context.metric(`${name}/p50_ms`, timing.ms, timing.spread)
            context.metric(`${name}/p95_ms`, p95(samples[i]))
            context.metric(`${name}/cold_ms`, coldOf(samples[i]))
            context.metric(`${name}/cache_bytes`, bytes[i])
          })
          if (length === LONG && !hasDecay) reportBytes(caches, bytes, context)
          if (length === LONG) reportSpeedup(caches, samples, suffix, context)
        } finally {
          for (const cache of caches) cache[Symbol.dispose]()
        }
      }
    if (wanted.some((length) => length === LONG))
      for (const [name, make] of [
        ['decode/ms_ratio_T65536_over_T1024', () => tauCache(device, false)],
        ['decode/dot_ms_ratio_T65536_over_T1024', () => kvCache(device, false)],
        ['decode/clock/ms_ratio_T65536_over_T1024', () => tauCache(device, true)],
      ] as const)
        await reportGrowth(name, make, context)
  })
  return wanted.length
}

/** How many times longer a token takes behind a long context than behind a short one. */
async function reportGrowth(
  name: string,
  make: () => FilledCache,
  { line, metric }: GroupContext,
): Promise<void> {
  const caches = [make(), make()]
  try {
    caches[0].fill(SHORT)
    caches[1].fill(LONG)
    const [short, long] = (await inTurns(caches, PAIR_TURNS, PAIR_WARM_UP)).map(median)
    line(`${name.replaceAll('/', ' ')} | ${timeText(long)} | ${timesText(long / short)} ${timeText(short)}`)
    metric(name, long / short)
  } finally {
    for (const cache of caches) cache[Symbol.dispose]()
  }
}

/** Milliseconds of each cache's tokens, turn after turn. Every round has another order. */
async function inTurns(caches: readonly FilledCache[], turns = TURNS, warmUp = WARM_UP): Promise<number[][]> {
  const samples = caches.map((): number[] => [])
  for (let round = -warmUp; round < turns; round++)
    for (let i = 0; i < caches.length; i++) {
      const turn = (i + round + warmUp) % caches.length
      for (let token = 0; token < TURN_TOKENS; token++) {
        const ms = await caches[turn].step()
        if (round >= 0) samples[turn].push(ms)
      }
    }
  return samples
}

/** The first tokens of all turns. Other work has just filled the processor's caches, as a model's weights do
 *  between two layers. */
const coldOf = (samples: readonly number[]): number => median(samples.filter((_, i) => i % TURN_TOKENS === 0))

function reportBytes(
  caches: readonly FilledCache[],
  bytes: readonly number[],
  { line, metric }: GroupContext,
): void {
  const of = (label: string) => bytes[caches.findIndex((cache) => cache.label === label)]
  for (const [label, name] of [
    ['tau', 'decode/cache_bytes_ratio_vs_kv'],
    ['tau_f16', 'decode/cache_bytes_ratio_vs_kv_f16'],
    ['tau_int8', 'decode/cache_bytes_ratio_vs_kv_int8'],
  ]) {
    line(`${name.replaceAll('/', ' ')} | ${timesText(of(label) / of('dot'))}`)
    metric(name, of(label) / of('dot'))
  }
}

function reportSpeedup(
  caches: readonly FilledCache[],
  samples: readonly number[][],
  suffix: string,
  { line, metric }: GroupContext,
): void {
  const of = (label: string) => samples[caches.findIndex((cache) => cache.label === label)]
  const [tau, dot] = [of('tau'), of('dot')]
  const ratio = ratioOf(dot.map((ms, token) => ms / tau[token]))
  const name = `decode/T${LONG}${suffix}/speedup_vs_dot`
  metric(`decode/T${LONG}${suffix}/cold_speedup_vs_dot`, coldOf(dot) / coldOf(tau))
  line(`${name.replaceAll('/', ' ')} | ${timesText(ratio.value)}`)
  metric(name, ratio.value, ratio.spread)
}
