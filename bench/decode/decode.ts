import { performance } from 'node:perf_hooks'
import type { Device } from '@tau/tensor'
import type { DecodeBench, DecodeCase } from '@tau/testing'
import { collect } from '../harness/collect.ts'
import { onDevices } from '../harness/devices.ts'
import { benchLine, deviceLabel, itemRate, timesText, timeText } from '../harness/lines.ts'
import { p95, speedup, type Timing, timingOf } from '../harness/race.ts'
import type { GroupContext } from '../registry.ts'

type Bench = DecodeBench<Device>

const ROUNDS = { whole: 25, quick: 3 }
const WARM_UP_ROUNDS = { whole: 3, quick: 1 }

interface Entry {
  readonly bench: Bench
  readonly decoding: DecodeCase
  /** Milliseconds until the first token, one per round. They include reading the prompt. */
  readonly prompts: number[]
  /** Milliseconds of every other token of every round. */
  readonly tokens: number[]
  /** The mean of these per round. Two models are compared by it. */
  readonly means: number[]
}

/** Generation on one thread, token by token. The models take turns, one text each, in another order every
 *  round. */
export async function runDecode(context: GroupContext): Promise<number> {
  const benches = await collect<Bench>('packages/model/src/**/*.bench.ts', context.filter)
  if (benches.length === 0) return 0
  const extent = context.quick ? 'quick' : 'whole'
  await onDevices([1], context, async ([device]) => {
    const entries: Entry[] = []
    for (const bench of benches) {
      const decoding = bench.prepare(device)
      await decoding.check()
      entries.push({ bench, decoding, prompts: [], tokens: [], means: [] })
    }
    for (const { decoding } of entries)
      for (let round = 0; round < WARM_UP_ROUNDS[extent]; round++) await timeTokens(decoding)
    for (let round = 0; round < ROUNDS[extent]; round++)
      for (let i = 0; i < entries.length; i++) {
        const { decoding, prompts, tokens, means } = entries[(i + round) % entries.length]
        const [first, ...others] = await timeTokens(decoding)
        prompts.push(first)
        tokens.push(...others)
        means.push(others.reduce((sum, ms) => sum + ms, 0) / others.length)
      }
    const label = deviceLabel(device)
    for (const entry of entries)
      report(
        entry,
        entries.find(({ bench }) => bench.name === entry.bench.rival?.name),
        label,
        context,
      )
  })
  return benches.length
}

/** Milliseconds that each token of one text took. */
async function timeTokens(decoding: DecodeCase): Promise<number[]> {
  const samples: number[] = []
  let before = performance.now()
  for await (const _ of decoding.tokens()) {
    const now = performance.now()
    samples.push(now - before)
    before = now
  }
  return samples
}

function report(
  { bench, decoding, prompts, tokens, means }: Entry,
  rival: Entry | undefined,
  label: string,
  { line, metric }: GroupContext,
): void {
  const { name, shape } = bench
  const perToken: Timing = timingOf(label, tokens)
  const round = timingOf(label, means)
  const rate = itemRate(round, { count: 1, unit: 'tokens' })
  const prompt = timingOf(label, prompts)
  line(
    benchLine(`${name} ${shape}`, perToken, rate, [
      `p95 ${timeText(p95(tokens))}`,
      `first token ${timeText(prompt.ms)}`,
      `cache ${(decoding.cacheBytes() / 1024).toFixed(0)} KiB`,
    ]),
  )
  metric(`${name}/tokens_per_s`, rate.value, round.spread)
  metric(`${name}/p50_ms_per_token`, perToken.ms, perToken.spread)
  metric(`${name}/p95_ms_per_token`, p95(tokens))
  metric(`${name}/first_token_ms`, prompt.ms, prompt.spread)
  metric(`${name}/cache_bytes`, decoding.cacheBytes())
  if (rival && bench.rival) {
    const ratio = speedup(round, timingOf(label, rival.means))
    line(`${name.replaceAll('/', ' ')} against ${bench.rival.as} | ${timesText(ratio.value)}`)
    metric(`${name}/ratio_vs_${bench.rival.as}`, ratio.value, ratio.spread)
  }
}
