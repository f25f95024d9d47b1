import { ascending, quantile } from '../harness/race.ts'
import { markdownTable } from '../page/markdown.ts'
import { type Attention, GENERATED, type Mode, PROMPTS, type TokenTime } from './model-runs.ts'

/** Times of one model's tokens: the first by itself, and percentiles over the others. */
export interface RunSummary {
  readonly attention: Attention
  readonly mode: Mode
  readonly prompt: number
  readonly generated: number
  /** Number of tokens that were timed. The quick selection without a cache generates more than it times. */
  readonly timed: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly firstTokenMs: number
  readonly cacheBytes: number
}

export function summarize(tokens: readonly TokenTime[]): RunSummary[] {
  const summaries: RunSummary[] = []
  for (const mode of ['kv_cache', 'no_cache'] as const)
    for (const prompt of PROMPTS)
      for (const generated of GENERATED)
        for (const attention of ['tau', 'dot'] as const) {
          const run = tokens.filter(
            (time) =>
              time.attention === attention &&
              time.mode === mode &&
              time.prompt === prompt &&
              time.token < generated,
          )
          const others = ascending(run.filter(({ token }) => token > 0).map(({ ms }) => ms))
          const first = run.find(({ token }) => token === 0)
          if (!first) continue
          // without a cache the first token is like the others
          const sorted = others.length > 0 ? others : [first.ms]
          summaries.push({
            ...{ attention, mode, prompt, generated, timed: run.length },
            ...{ p50Ms: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95), p99Ms: quantile(sorted, 0.99) },
            firstTokenMs: first.ms,
            cacheBytes: run[run.length - 1].cacheBytes,
          })
        }
  return summaries
}

/** Speedups that the paper publishes (Moriondo 2026): p50 of its dot-product model over p50 of tau. Above 1
 *  tau is faster. These are with a cache, by the number of generated tokens. */
const SPEEDUP: Readonly<Record<number, number>> = { 128: 1.09, 256: 1.12, 512: 1.17, 1024: 1.22 }
/** Without a cache: the lowest and the highest over all numbers of tokens. */
const SPEEDUP_WITHOUT = [0.75, 0.8] as const

/** The published p50 of tau over that of the dot product, as our ratios are. */
function publishedRatio(mode: Mode, generated: number): string {
  const ratio = (speedup: number) => (1 / speedup).toFixed(2)
  if (mode === 'no_cache') return SPEEDUP_WITHOUT.map(ratio).reverse().join(' to ')
  return generated in SPEEDUP ? ratio(SPEEDUP[generated]) : '–'
}

export interface PaperRow {
  readonly mode: Mode
  readonly generated: number
  /** The paper's ratio, or the range of its ratios. */
  readonly published: string
  /** Ours per prompt length. */
  readonly ours: readonly { readonly prompt: number; readonly ratio: number }[]
}

/** p50 of tau over p50 of the dot product, beside the paper's ratio. */
export function paperTable(summaries: readonly RunSummary[]): PaperRow[] {
  return (['kv_cache', 'no_cache'] as const).flatMap((mode) =>
    GENERATED.map((generated) => ({
      mode,
      generated,
      published: publishedRatio(mode, generated),
      ours: PROMPTS.flatMap((prompt) => {
        const p50 = (attention: Attention) =>
          summaries.find(
            (run) =>
              run.attention === attention &&
              run.mode === mode &&
              run.generated === generated &&
              run.prompt === prompt,
          )?.p50Ms
        const [tau, dot] = [p50('tau'), p50('dot')]
        return tau === undefined || dot === undefined ? [] : [{ prompt, ratio: tau / dot }]
      }),
    })),
  )
}

export function paperMarkdown(rows: readonly PaperRow[]): string {
  const head = ['mode', 'generated', 'paper', ...PROMPTS.map((prompt) => `ours, prompt ${prompt}`)]
  const cells = rows.map(({ mode, generated, published, ours }) => [
    ...[mode, String(generated), published],
    ...PROMPTS.map((prompt) => ours.find((entry) => entry.prompt === prompt)?.ratio.toFixed(2) ?? '–'),
  ])
  return `p50 per token, tau over dot product: below 1 tau is faster. Random weights, one thread. The paper publishes the inverse.\n\n${markdownTable(head, cells)}`
}

/** Rows as CSV, columns in the order of the first row's fields. */
export function toCsv(rows: readonly object[]): string {
  if (rows.length === 0) return ''
  return [Object.keys(rows[0]), ...rows.map((row) => Object.values(row))]
    .map((row) => `${row.join(',')}\n`)
    .join('')
}
