import { significant, timesText, timeText } from '../harness/lines.ts'
import type { Metrics, Peers } from '../records/record.ts'
import { type Column, caught, cellsOf, lengthsOf, megabytes, shown, type Table, tableOf } from './table.ts'

/** Columns and rows of the models that are compared with PyTorch, and their names in metrics. */
export const MODELS = [
  { label: 'tau', model: 'tau-30m' },
  { label: 'tau, BLAS', model: 'tau-30m-blas' },
  { label: 'our GPT', model: 'gpt-30m' },
  { label: undefined, model: 'torch-30m' },
] as const

/** PyTorch, with its version if the record has it. */
const torchText = (peers: Peers): string => peers.torch?.version ?? 'PyTorch'

export function trainTables(metrics: Metrics, peers: Peers): Table[] {
  const torch = torchText(peers)
  const lengths = lengthsOf(metrics, /^train\/(?:tau|gpt|torch)-30m(?:-blas)?\/T(\d+)\/tokens_per_s$/)
  const byLength = (figure: string, ratio: string, text: (value: number) => string): Column[] => [
    ['T', String],
    ...MODELS.map(
      ({ label, model }): Column => [
        label ?? torch,
        cellsOf(metrics, `train/${model}/T`)(`/${figure}`, text),
      ],
    ),
    ['tau / PyTorch', cellsOf(metrics, 'train/tau-30m/T')(`/${ratio}`, timesText)],
  ]
  const small = cellsOf(metrics, 'train/')
  return [
    tableOf(
      'Tokens per second of training: 30 M parameters, 2 threads, batches of one text of T tokens',
      lengths,
      byLength('tokens_per_s', 'ratio_vs_torch', significant),
    ),
    tableOf(
      'The most memory that the process took',
      lengths,
      byLength('peak_bytes', 'peak_memory_ratio_vs_torch', megabytes),
    ),
    tableOf('Steps of small models', caught(metrics, /^train\/([^/]+)\/ms_per_step$/), [
      ['model', String],
      ['tokens/s, 1 thread', small('/tokens_per_s', significant)],
      ['GFLOPS by 6·N·tokens', small('/gflops', significant)],
      ['2 threads', small('/2_threads_scaling', timesText)],
      ['live after backward', small('/live_bytes', megabytes)],
      ['speed / dot product', small('/ratio_vs_dot', timesText)],
    ]),
  ]
}

const CACHES = [
  { label: 'tau', cache: 'tau' },
  { label: 'tau, f16', cache: 'tau_f16' },
  { label: 'tau, int8', cache: 'tau_int8' },
  { label: 'tau, 1024 bins', cache: 'tau_bounded' },
  { label: 'dot product', cache: 'dot' },
] as const

/** A row of figures: the caches of a layer against the context. */
function cacheTable(
  metrics: Metrics,
  title: string,
  kind: string,
  figure: string,
  text: (value: number) => string,
): Table {
  const of = (context: string, cache: string) => metrics[`decode/${kind}/T${context}/${cache}/${figure}`]
  const ratio = (context: string): string => {
    const [tau, dot] = [of(context, 'tau'), of(context, 'dot')]
    return shown(tau === undefined || dot === undefined ? undefined : tau / dot, timesText)
  }
  return tableOf(title, lengthsOf(metrics, new RegExp(`^decode/${kind}/T(\\d+)/\\w+/${figure}$`)), [
    ['context', String],
    ...CACHES.map(({ label, cache }): Column => [label, (context) => shown(of(context, cache), text)]),
    ['tau / dot product', ratio],
  ])
}

export function decodeTables(metrics: Metrics, peers: Peers): Table[] {
  const labelOf = (name: string): string => {
    const found = MODELS.find(({ model }) => model === name)
    return found ? (found.label ?? torchText(peers)) : name
  }
  const cell = cellsOf(metrics, 'decode/')
  return [
    tableOf(
      'Tokens behind a context of 1024: 30 M parameters, 2 threads',
      caught(metrics, /^decode\/([^/]+)\/ms$/),
      [
        ['model', labelOf],
        ['tokens/s', cell('/tokens_per_s', significant)],
        ['median of a token', cell('/ms', timeText)],
        ['peak memory', cell('/peak_bytes', megabytes)],
        ['speed / PyTorch', cell('/ratio_vs_torch', timesText)],
      ],
    ),
    tableOf('Small models, 1 thread', caught(metrics, /^decode\/(.+)\/p50_ms_per_token$/), [
      ['model', String],
      ['tokens/s', cell('/tokens_per_s', significant)],
      ['median of a token', cell('/p50_ms_per_token', timeText)],
      ['p95', cell('/p95_ms_per_token', timeText)],
      ['first token', cell('/first_token_ms', timeText)],
      ['cache', cell('/cache_bytes', megabytes)],
      ['speed / dot product', cell('/ratio_vs_dot', timesText)],
    ]),
    cacheTable(
      metrics,
      'One more token, 6 heads of 64, 1 thread: median time',
      'attention',
      'p50_ms',
      timeText,
    ),
    cacheTable(metrics, 'The same with a clock', 'attention_clock', 'p50_ms', timeText),
    cacheTable(metrics, 'Bytes of its cache', 'attention', 'cache_bytes', megabytes),
  ]
}
