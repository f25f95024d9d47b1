import type { Metrics, Peers } from '../records/record.ts'
import { bytesText, COLORS, type Curve, type LinePlot, msText, type Point } from './plot.ts'

/** A plot and the name of its file, without the ending. */
export interface NamedPlot extends LinePlot {
  readonly file: string
}

/** The figures whose names match, with the first group of the pattern as x. */
const pointsOf = (metrics: Metrics, pattern: RegExp): Point[] =>
  Object.entries(metrics)
    .flatMap(([name, y]) => {
      const match = pattern.exec(name)
      return match ? [{ x: Number(match[1]), y }] : []
    })
    .sort((a, b) => a.x - b.x)

/** The short name of a peer: a plot has room for name and version only. */
const shortly = (version: string): string => version.split(',')[0]

const modelsOf = (peers: Peers) => [
  { name: 'torch-30m', label: shortly(peers.torch?.version ?? 'PyTorch, dot product'), color: COLORS.peer },
  { name: 'gpt-30m', label: 'ours, dot product', color: COLORS.dot },
  { name: 'tau-30m', label: 'ours, tau', color: COLORS.tau },
]
const kernelsOf = (peers: Peers) => [
  { name: 'dot', label: 'dot product', color: COLORS.dot },
  {
    name: 'onnxruntime',
    label: shortly(peers.onnxruntime?.version ?? 'onnxruntime'),
    color: COLORS.peer,
  },
  { name: 'quadratic', label: 'λ, quadratic', color: COLORS.quadratic },
  { name: 'fast', label: 'λ, O(T log T)', color: COLORS.tau },
]
const CACHES = [
  { name: 'dot', label: 'dot product', color: COLORS.dot },
  { name: 'tau', label: 'tau', color: COLORS.tau },
  { name: 'tau_f16', label: 'tau, f16 values', color: COLORS.f16 },
  { name: 'tau_bounded', label: 'tau, 1024 bins', color: COLORS.bounded },
] as const

const curvesOf = (
  metrics: Metrics,
  lines: readonly { readonly name: string; readonly label: string; readonly color: string }[],
  pattern: (name: string) => string,
): Curve[] =>
  lines.map(({ name, label, color }) => ({
    label,
    color,
    points: pointsOf(metrics, new RegExp(`^${pattern(name)}$`)),
  }))

/** The plots that have a curve to draw. Points of a single length make no curve. */
const drawable = (plots: readonly NamedPlot[]): NamedPlot[] =>
  plots
    .map((plot) => ({ ...plot, curves: plot.curves.filter(({ points }) => points.length > 1) }))
    .filter(({ curves }) => curves.length > 0)

const LENGTH = 'length T, tokens'

export function trainPlots(metrics: Metrics, peers: Peers): NamedPlot[] {
  const models = (figure: string) =>
    curvesOf(metrics, modelsOf(peers), (model) => `train/${model}/T(\\d+)/${figure}`)
  return drawable([
    {
      file: 'train-tokens-per-s',
      title: 'Training 30 M parameters on two threads',
      ...{ x: LENGTH, y: 'tokens per second', curves: models('tokens_per_s') },
    },
    {
      file: 'train-peak-memory',
      title: 'Training 30 M parameters: the most memory its process took',
      ...{ x: LENGTH, y: 'peak resident memory', formatY: bytesText, curves: models('peak_bytes') },
    },
  ])
}

export function attentionPlots(metrics: Metrics, peers: Peers): NamedPlot[] {
  const kernels = (pass: string) =>
    curvesOf(metrics, kernelsOf(peers), (kernel) => `sweep/${pass}/T(\\d+)/${kernel}_ms`)
  return drawable([
    {
      file: 'forward-ms',
      title: 'Causal attention, forward: one head of 64, one thread',
      ...{ x: LENGTH, y: 'median time', formatY: msText, curves: kernels('forward') },
    },
    {
      file: 'train-ms',
      title: 'Causal attention with gradients: one head of 64, one thread',
      ...{ x: LENGTH, y: 'median time', formatY: msText, curves: kernels('train') },
    },
  ])
}

export function decodePlots(metrics: Metrics): NamedPlot[] {
  const caches = (figure: string) =>
    curvesOf(metrics, CACHES, (cache) => `decode/attention/T(\\d+)/${cache}/${figure}`)
  return drawable([
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
  ])
}
