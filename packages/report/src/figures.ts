import type { AttentionKind } from '@tau/model'
import { distributionsOf, type EvalRecord, type HeadsRecord, type StepRecord } from '@tau/train'
import type { Chart, Series } from './chart.ts'
import type { History } from './history.ts'
import { compact, smooth, spread, thin } from './thin.ts'

const DRAWN_STEPS = 1200
const FEW = 40

/** Values to draw, each with its step. */
interface Column {
  readonly steps: readonly number[]
  readonly values: readonly number[]
}

/** Joins columns on their steps. x rises; each column has a value or null for each x. */
export function join(columns: readonly Column[]): { x: number[]; values: (number | null)[][] } {
  const x = Array.from(new Set(columns.flatMap((column) => column.steps))).sort((a, b) => a - b)
  const values = columns.map((column) => {
    const byStep = new Map(column.steps.map((step, i) => [step, compact(column.values[i])]))
    return x.map((step) => byStep.get(step) ?? null)
  })
  return { x, values }
}

export const line = (
  label: string,
  color: string,
  values: readonly (number | null)[],
  more: Partial<Series> = {},
): Series => ({
  label,
  color,
  values,
  axis: 'left',
  width: 1.75,
  opacity: 1,
  hasPoints: values.filter((value) => value !== null).length <= FEW,
  ...more,
})

/** Chart of the training loss, raw and smoothed, and of the validation loss. Left axis: nats per token. Right
 *  axis: bits per byte. */
export function lossChart({ steps, evals, runs, resumes }: History): Chart | undefined {
  if (steps.length + evals.length === 0) return undefined
  const losses = steps.map((record) => record.loss)
  const kept = thin(losses, DRAWN_STEPS)
  const smoothed = smooth(losses)
  const at = kept.map((i) => steps[i].step)
  const { x, values } = join([
    { steps: at, values: kept.map((i) => losses[i]) },
    { steps: at, values: kept.map((i) => smoothed[i]) },
    { steps: evals.map((record) => record.step), values: evals.map((record) => record.valLoss) },
  ])
  const bytesPerToken = runs.at(-1)?.bytesPerToken ?? 0
  const factor = bytesPerToken > 0 ? 1 / (Math.LN2 * bytesPerToken) : undefined
  const also = factor === undefined ? {} : { also: { factor, unit: 'bits/byte' } }
  const series = [
    line('train, each step', 'blue', values[0], { width: 1, opacity: 0.3 }),
    line('train, smoothed', 'blue', values[1], { hasPoints: false, ...also }),
    line('validation', 'orange', values[2], { width: 2, ...also }),
  ].filter((one) => one.values.some((value) => value !== null))
  return {
    title: 'Loss',
    note: 'Cross-entropy, nats per token (left) and bits per byte (right)',
    height: 340,
    x,
    series,
    left: { label: 'nats per token' },
    ...(factor === undefined ? {} : { right: { label: 'bits per byte', factor } }),
    marks: resumes,
    hasLegend: true,
  }
}

interface StepFigure {
  readonly title: string
  readonly note: string
  readonly color: string
  readonly read: (record: StepRecord) => number
  readonly isNoisy: boolean
}

const STEP_FIGURES: readonly StepFigure[] = [
  {
    title: 'Learning rate',
    note: 'Warmup, then cosine',
    color: 'violet',
    read: ({ lr }) => lr,
    isNoisy: false,
  },
  {
    title: 'Gradient norm',
    note: 'Norm over all gradients, before clipping',
    color: 'red',
    read: ({ gradNorm }) => gradNorm,
    isNoisy: true,
  },
  {
    title: 'Tokens per second',
    note: 'Wall time of the steps',
    color: 'teal',
    read: ({ tokensPerSec }) => tokensPerSec,
    isNoisy: true,
  },
]

/** Small charts of learning rate, gradient norm and speed. A noisy figure also gets a smoothed curve. */
export function stepCharts({ steps, resumes }: History): Chart[] {
  if (steps.length === 0) return []
  return STEP_FIGURES.map(({ title, note, color, read, isNoisy }) => {
    const all = steps.map(read)
    const kept = thin(all, DRAWN_STEPS)
    const smoothed = smooth(all)
    const at = kept.map((i) => steps[i].step)
    const { x, values } = join([
      { steps: at, values: kept.map((i) => all[i]) },
      { steps: at, values: kept.map((i) => smoothed[i]) },
    ])
    const series = isNoisy
      ? [
          line('each step', color, values[0], { width: 1, opacity: 0.3 }),
          line('smoothed', color, values[1], { width: 1.5, hasPoints: false }),
        ]
      : [line('each step', color, values[0])]
    return { title, note, height: 170, x, series, left: {}, marks: resumes, hasLegend: true }
  })
}

/** Mean of a distribution over all layers and heads that have it. NaN if no head has it. */
export function meanOf(record: HeadsRecord, name: string): number {
  const means = record.layers
    .flatMap((layer) => distributionsOf(layer, name).map((head) => head.mean))
    .filter(Number.isFinite)
  return means.reduce((sum, value) => sum + value, 0) / means.length
}

/** Colours for the distributions of a kind of attention, in their order. */
export const MEASURE_COLORS = ['teal', 'violet', 'orange', 'blue'] as const

/** Chart of the loss (right axis) and of the mean values of a kind of attention, such as λ (left axis). The
 *  means are over all heads. The chart shows if they drift while the loss falls. Undefined if no such value
 *  was recorded. */
export function driftChart(
  { steps, evals, heads, resumes }: History,
  { distributions, report }: Pick<AttentionKind, 'distributions' | 'report'>,
): Chart | undefined {
  const drawn = spread(heads.length, 400).map((i) => heads[i])
  const at = drawn.map((record) => record.step)
  const losses = smooth(steps.map((record) => record.loss))
  const kept = spread(steps.length, 400)
  const { x, values } = join([
    ...distributions.map(({ name }) => ({ steps: at, values: drawn.map((record) => meanOf(record, name)) })),
    { steps: kept.map((i) => steps[i].step), values: kept.map((i) => losses[i]) },
    { steps: evals.map((record) => record.step), values: evals.map((record) => record.valLoss) },
  ])
  const means = values.slice(0, distributions.length)
  if (!means.flat().some((value) => value !== null)) return undefined
  const [trainLoss, valLoss] = values.slice(distributions.length)
  return {
    title: `Mean ${report.heading} and loss`,
    note: `${report.heading} over all layers and heads (left), loss in nats per token (right)`,
    height: 280,
    x,
    series: [
      ...distributions.map(({ title }, i) =>
        line(`mean ${title}`, MEASURE_COLORS[i % MEASURE_COLORS.length], means[i], { width: 2 }),
      ),
      line('train loss, smoothed', 'blue', trainLoss, {
        axis: 'right',
        width: 1.25,
        opacity: 0.55,
        hasPoints: false,
      }),
      line('validation loss', 'orange', valLoss, { axis: 'right', width: 1.25, opacity: 0.8 }),
    ].filter((one) => one.values.some((value) => value !== null)),
    left: { label: `mean ${report.heading}` },
    right: { label: 'nats per token' },
    marks: resumes,
    hasLegend: true,
  }
}

/** The evaluation with the lowest loss. */
export function bestEval(evals: readonly EvalRecord[]): EvalRecord | undefined {
  return evals.reduce<EvalRecord | undefined>(
    (best, record) => (best === undefined || record.valLoss < best.valLoss ? record : best),
    undefined,
  )
}
