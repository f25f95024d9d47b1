import { join } from 'node:path'
import { bytesText, COLORS, type Curve, msText, writePlot } from '../page/plot.ts'
import type { ContextTime } from './contexts.ts'
import type { TokenTime } from './model-runs.ts'

const CACHES = [
  { cache: 'dot', label: 'dot product', color: COLORS.dot },
  { cache: 'tau', label: 'tau', color: COLORS.tau },
  { cache: 'tau_f16', label: 'tau, f16 values', color: COLORS.f16 },
  { cache: 'tau_bounded', label: 'tau, 1024 bins', color: COLORS.bounded },
] as const

const curvesOf = (contexts: readonly ContextTime[], y: (time: ContextTime) => number): Curve[] =>
  CACHES.map(({ cache, label, color }) => ({
    label,
    color,
    points: contexts.filter((time) => time.cache === cache).map((time) => ({ x: time.context, y: y(time) })),
  }))

/** Plots latency and memory against context, and milliseconds per token of whole models, each as SVG and
 *  PNG. */
export function kvcachePlots(
  folder: string,
  contexts: readonly ContextTime[],
  tokens: readonly TokenTime[],
): void {
  if (contexts.length > 0) contextPlots(folder, contexts)
  if (tokens.length > 0) modelPlot(folder, tokens)
}

function contextPlots(folder: string, contexts: readonly ContextTime[]): void {
  writePlot(join(folder, 'latency'), {
    title: 'One more token: attention of one layer, 6 heads of 64, one thread',
    x: 'context, tokens',
    y: 'median time per token',
    formatY: msText,
    curves: curvesOf(contexts, ({ p50Ms }) => p50Ms),
  })
  writePlot(join(folder, 'memory'), {
    title: 'What a layer remembers: 6 heads of 64',
    x: 'context, tokens',
    y: 'bytes of the cache',
    formatY: bytesText,
    curves: curvesOf(contexts, ({ cacheBytes }) => cacheBytes),
  })
}

function modelPlot(folder: string, tokens: readonly TokenTime[]): void {
  const models = [
    { attention: 'tau', mode: 'kv_cache', label: 'tau, cache', color: COLORS.tau },
    { attention: 'dot', mode: 'kv_cache', label: 'dot, cache', color: COLORS.dot },
    { attention: 'tau', mode: 'no_cache', label: 'tau, no cache', color: COLORS.f16 },
    { attention: 'dot', mode: 'no_cache', label: 'dot, no cache', color: COLORS.bounded },
  ] as const
  writePlot(join(folder, 'models'), {
    title: 'Generation by a model of 30M, random weights, one thread',
    x: 'context, tokens',
    y: 'median time per token',
    formatY: msText,
    curves: models.map(({ attention, mode, label, color }) => ({
      label,
      color,
      points: mediansByContext(
        tokens.filter((time) => time.attention === attention && time.mode === mode && time.token > 0),
      ),
    })),
  })
}

/** Medians over steps of 128 positions of context. */
function mediansByContext(tokens: readonly TokenTime[]): { x: number; y: number }[] {
  const STEP = 128
  const steps = new Map<number, number[]>()
  for (const { prompt, token, ms } of tokens) {
    const step = Math.floor((prompt + token) / STEP)
    steps.set(step, [...(steps.get(step) ?? []), ms])
  }
  return [...steps]
    .sort(([a], [b]) => a - b)
    .map(([step, times]) => ({
      x: (step + 0.5) * STEP,
      y: times.toSorted((a, b) => a - b)[times.length >> 1],
    }))
}
