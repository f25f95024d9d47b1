import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { bytesText, COLORS, type Curve, msText, type Point, writePlot } from './plot.ts'

type Metrics = Readonly<Record<string, number>>

/** The figures whose names match, with the first group of the pattern as x. */
const pointsOf = (metrics: Metrics, pattern: RegExp): Point[] =>
  Object.entries(metrics)
    .flatMap(([name, y]) => {
      const match = pattern.exec(name)
      return match ? [{ x: Number(match[1]), y }] : []
    })
    .sort((a, b) => a.x - b.x)

const KERNELS = [
  { kernel: 'dot', label: 'dot product', color: COLORS.dot },
  { kernel: 'quadratic', label: 'λ, quadratic', color: COLORS.quadratic },
  { kernel: 'fast', label: 'λ, O(T log T)', color: COLORS.tau },
] as const
const CACHES = [
  { cache: 'dot', label: 'dot product', color: COLORS.dot },
  { cache: 'tau', label: 'tau', color: COLORS.tau },
  { cache: 'tau_f16', label: 'tau, f16 values', color: COLORS.f16 },
  { cache: 'tau_bounded', label: 'tau, 1024 bins', color: COLORS.bounded },
] as const

/** Draws what `sweep` and `decode` measured; returns the files without their endings. */
export function attentionPlots(folder: string, metrics: Metrics): string[] {
  mkdirSync(folder, { recursive: true })
  const kernels = (pass: string): Curve[] =>
    KERNELS.map(({ kernel, label, color }) => ({
      ...{ label, color },
      points: pointsOf(metrics, new RegExp(`^sweep/${pass}/T(\\d+)/${kernel}_ms$`)),
    }))
  const caches = (figure: string): Curve[] =>
    CACHES.map(({ cache, label, color }) => ({
      ...{ label, color },
      points: pointsOf(metrics, new RegExp(`^decode/attention/T(\\d+)/${cache}/${figure}$`)),
    }))
  const plots = [
    {
      file: 'forward-ms',
      title: 'Causal attention, forward: one head of 64, one thread',
      ...{ x: 'length T, tokens', y: 'median time', formatY: msText, curves: kernels('forward') },
    },
    {
      file: 'train-ms',
      title: 'Causal attention with gradients: one head of 64, one thread',
      ...{ x: 'length T, tokens', y: 'median time', formatY: msText, curves: kernels('train') },
    },
    {
      file: 'decode-ms',
      title: 'One more token: 6 heads of 64, one thread',
      ...{ x: 'context, tokens', y: 'median time per token', formatY: msText, curves: caches('p50_ms') },
    },
    {
      file: 'cache-bytes',
      title: 'What the cache of a layer holds: 6 heads of 64',
      ...{ x: 'context, tokens', y: 'bytes', formatY: bytesText, curves: caches('cache_bytes') },
    },
  ]
  return plots
    .filter(({ curves }) => curves.some(({ points }) => points.length > 0))
    .map(({ file, ...plot }) => {
      writePlot(join(folder, file), plot)
      return join(folder, file)
    })
}
