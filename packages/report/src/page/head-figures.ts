import type { Measure } from '@tau/model'
import { distributionsOf, type HeadsRecord, numbersOf, type Quantiles } from '@tau/train'
import type { Chart, Series } from '../chart.ts'
import { join, line, MEASURE_COLORS } from '../figures.ts'
import type { History } from '../history.ts'
import { spread } from '../thin.ts'

const DRAWN_RECORDS = 120
/** Number of colours for heads: the CSS custom properties --head-0 to --head-7. */
export const HEAD_COLORS = 8

export const headColor = (head: number): string => `head-${head % HEAD_COLORS}`

/** Charts of one layer. */
export interface LayerCharts {
  readonly layer: number
  readonly charts: readonly Chart[]
}

const EDGES = ['q95', 'q75', 'q25', 'q05'] as const

/** Charts of distributions over time, such as those of λ: one chart for each layer and query head. A chart
 *  shows bands 5–95 % and 25–75 %, and the median, of the head and of its kv head. Query heads share kv heads
 *  in order. All charts have one y range. */
export function distributionCharts({ heads, resumes }: History, measures: readonly Measure[]): LayerCharts[] {
  const drawn = spread(heads.length, DRAWN_RECORDS).map((i) => heads[i])
  const range = rangeOf(
    drawn.flatMap(({ layers }) =>
      layers.flatMap((layer) =>
        measures.flatMap(({ name }) => distributionsOf(layer, name).flatMap((head) => [head.q05, head.q95])),
      ),
    ),
  )
  if (range === undefined) return []
  return layersOf(drawn).map((layer) => {
    const count = (per: Measure['per']) =>
      Math.max(0, ...measures.filter((one) => one.per === per).map(({ name }) => most(drawn, layer, name)))
    const [nHead, nKvHead] = [count('head'), count('kv head')]
    const charts = Array.from({ length: Math.max(nHead, nKvHead) }, (_, head): Chart => {
      const kvHead = nHead > 0 ? Math.floor((head * nKvHead) / nHead) : head
      const title = nHead > nKvHead && nKvHead > 0 ? `head ${head} · kv head ${kvHead}` : `head ${head}`
      return {
        ...distributionChart(drawn, measures, { layer, head, kvHead }),
        title,
        left: { range },
        marks: resumes,
      }
    })
    return { layer, charts }
  })
}

interface HeadPlace {
  readonly layer: number
  readonly head: number
  readonly kvHead: number
}

function distributionChart(
  drawn: readonly HeadsRecord[],
  measures: readonly Measure[],
  { layer, head, kvHead }: HeadPlace,
): Chart {
  const steps = drawn.map((record) => record.step)
  // Reversed, so the first measure is drawn last, on top of the others.
  const parts = measures
    .map((measure, i) => ({ ...measure, color: MEASURE_COLORS[i % MEASURE_COLORS.length] }))
    .toReversed()
  const columns = parts.flatMap(({ name, per }) => {
    const at = per === 'head' ? head : kvHead
    const read = (key: keyof Quantiles) =>
      drawn.map((record) => distributionsOf(record.layers[layer] ?? {}, name)[at]?.[key] ?? Number.NaN)
    return [...EDGES.map(read), read('q50')].map((values) => ({ steps, values }))
  })
  const { x, values } = join(columns)
  const stride = EDGES.length + 1
  const series = parts.flatMap(({ title, color }, p): Series[] => [
    ...EDGES.map((edge, i) =>
      line(edge, color, values[p * stride + i], { width: 0, isEdge: true, hasPoints: false }),
    ),
    line(title, color, values[p * stride + EDGES.length], { width: 1.5, hasPoints: x.length === 1 }),
  ])
  const bands = parts.flatMap(({ color }, p) => [
    { upper: p * stride, lower: p * stride + 3, color, opacity: 0.16 },
    { upper: p * stride + 1, lower: p * stride + 2, color, opacity: 0.26 },
  ])
  return { title: '', height: 130, x, series, bands, left: {}, hasLegend: false }
}

/** A number per head that is learned, or fixed. */
export interface HeadParameter {
  readonly name: string
  readonly about: string
  /** Largest number of heads in a layer. It is the length of the legend. */
  readonly headCount: number
  readonly headName: string
  /** One chart per layer. Empty if the value is fixed. */
  readonly charts: readonly Chart[]
  /** The value, if all heads have the same one at all steps. */
  readonly fixed: number | undefined
}

/** The decay rate. Every kind of attention has it, if the model has decay. */
const DECAY_RATE: Measure = {
  name: 'decayRate',
  title: 'Decay rate',
  per: 'head',
  about:
    'Mean growth of the head’s cumulative decay per token. A head that decays fast forgets distant tokens.',
}

/** Charts over time of the numbers per head of a kind of attention, and of the decay rate. Numbers that the
 *  model lacks are left out. */
export function parameterCharts({ heads, resumes }: History, scalars: readonly Measure[]): HeadParameter[] {
  const drawn = spread(heads.length, 2 * DRAWN_RECORDS).map((i) => heads[i])
  const layers = layersOf(drawn)
  return [...scalars, DECAY_RATE].flatMap(
    ({ name: part, title, per, isLog = false, about = '' }): HeadParameter[] => {
      const all = drawn
        .flatMap((record) => record.layers.flatMap((layer) => numbersOf(layer, part)))
        .filter(Number.isFinite)
      if (all.length === 0) return []
      const headCount = Math.max(...layers.map((layer) => most(drawn, layer, part)))
      const common = { name: title, about, headCount, headName: per }
      if (all.every((value) => value === all[0])) return [{ ...common, charts: [], fixed: all[0] }]
      const canLog = isLog && all.every((value) => value > 0)
      const range = rangeOf(all, canLog)
      const steps = drawn.map((record) => record.step)
      const charts = layers.map((layer): Chart => {
        const columns = Array.from({ length: most(drawn, layer, part) }, (_, head) => ({
          steps,
          values: drawn.map((record) => numbersOf(record.layers[layer] ?? {}, part)[head] ?? Number.NaN),
        }))
        const { x, values } = join(columns)
        return {
          title: `layer ${layer}`,
          height: 150,
          x,
          series: values.map((column, head) =>
            line(`${per} ${head}`, headColor(head), column, { width: 1.5, hasPoints: x.length === 1 }),
          ),
          left: { isLog: canLog, ...(range && { range }) },
          marks: resumes,
          hasLegend: false,
        }
      })
      return [{ ...common, charts, fixed: undefined }]
    },
  )
}

const layersOf = (drawn: readonly HeadsRecord[]): number[] =>
  Array.from({ length: Math.max(0, ...drawn.map((record) => record.layers.length)) }, (_, layer) => layer)

const most = (drawn: readonly HeadsRecord[], layer: number, name: string): number =>
  Math.max(0, ...drawn.map((record) => record.layers[layer]?.[name]?.length ?? 0))

/** Smallest and largest finite value, with a margin: 4 % of the range, or a factor of 1.15 on a log axis.
 *  Undefined if no value is finite. */
function rangeOf(values: readonly number[], isLog = false): [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (low > high) return undefined
  if (isLog) return [low / 1.15, high * 1.15]
  const margin = (high - low) * 0.04 || Math.abs(high) * 0.1 || 0.1
  return [low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin]
}
