import type { HeadsRecord, Quantiles } from '@tau/train'
import type { Chart, Series } from '../chart.ts'
import { join, line } from '../figures.ts'
import type { History } from '../history.ts'
import { spread } from '../thin.ts'

const DRAWN_RECORDS = 120
/** CSS custom properties --head-0 … of the page's style. */
export const HEAD_COLORS = 8

export const headColor = (head: number): string => `head-${head % HEAD_COLORS}`

/** Charts of one layer. */
export interface LayerCharts {
  readonly layer: number
  readonly charts: readonly Chart[]
}

const PARTS = [
  { part: 'lambdaK', name: 'λ of keys', color: 'violet' },
  { part: 'lambdaQ', name: 'λ of queries', color: 'teal' },
] as const
const EDGES = ['q95', 'q75', 'q25', 'q05'] as const

/** Distribution of λ over time, a chart for each layer and query head: bands 5–95 % and 25–75 %, and the median, of the head's
 *  queries and of the keys it looks at (query heads share kv heads in order). All charts have one y range. */
export function lambdaCharts({ heads, resumes }: History): LayerCharts[] {
  const drawn = spread(heads.length, DRAWN_RECORDS).map((i) => heads[i])
  const range = rangeOf(
    drawn.flatMap(({ layers }) =>
      layers.flatMap((layer) => [...layer.lambdaQ, ...layer.lambdaK].flatMap((head) => [head.q05, head.q95])),
    ),
  )
  if (range === undefined) return []
  return layersOf(drawn).map((layer) => {
    const nHead = most(drawn, layer, 'lambdaQ')
    const nKvHead = most(drawn, layer, 'lambdaK')
    const charts = Array.from({ length: Math.max(nHead, nKvHead) }, (_, head): Chart => {
      const kvHead = nHead > 0 ? Math.floor((head * nKvHead) / nHead) : head
      const title = nHead > nKvHead && nKvHead > 0 ? `head ${head} · kv head ${kvHead}` : `head ${head}`
      return { ...lambdaChart(drawn, { layer, head, kvHead }), title, left: { range }, marks: resumes }
    })
    return { layer, charts }
  })
}

interface HeadPlace {
  readonly layer: number
  readonly head: number
  readonly kvHead: number
}

function lambdaChart(drawn: readonly HeadsRecord[], { layer, head, kvHead }: HeadPlace): Chart {
  const steps = drawn.map((record) => record.step)
  const columns = PARTS.flatMap(({ part }) => {
    const at = part === 'lambdaQ' ? head : kvHead
    const read = (key: keyof Quantiles) =>
      drawn.map((record) => record.layers[layer]?.[part][at]?.[key] ?? Number.NaN)
    return [...EDGES.map(read), read('q50')].map((values) => ({ steps, values }))
  })
  const { x, values } = join(columns)
  const stride = EDGES.length + 1
  const series = PARTS.flatMap(({ name, color }, p): Series[] => [
    ...EDGES.map((edge, i) =>
      line(edge, color, values[p * stride + i], { width: 0, isEdge: true, hasPoints: false }),
    ),
    line(name, color, values[p * stride + EDGES.length], { width: 1.5, hasPoints: x.length === 1 }),
  ])
  const bands = PARTS.flatMap(({ color }, p) => [
    { upper: p * stride, lower: p * stride + 3, color, opacity: 0.16 },
    { upper: p * stride + 1, lower: p * stride + 2, color, opacity: 0.26 },
  ])
  return { title: '', height: 130, x, series, bands, left: {}, hasLegend: false }
}

/** What is learned per head, or fixed. */
export interface HeadParameter {
  readonly name: string
  readonly about: string
  /** Largest number of heads of a layer: the legend's length. */
  readonly headCount: number
  readonly headName: string
  /** A chart per layer, or the one value that all heads have at all times. */
  readonly charts: readonly Chart[]
  readonly fixed: number | undefined
}

interface ParameterFigure {
  readonly part: 'temperature' | 'tau' | 'clockRate'
  readonly name: string
  readonly headName: string
  readonly isLog: boolean
  readonly about: string
}

const PARAMETERS: readonly ParameterFigure[] = [
  {
    part: 'temperature',
    name: 'Temperature',
    headName: 'head',
    isLog: true,
    about: 'λ-distances are divided by it: a colder head looks only at keys whose λ is close to the query’s.',
  },
  {
    part: 'tau',
    name: 'τ',
    headName: 'kv head',
    isLog: true,
    about: 'λ = E / (E + τ): the energy that is mapped to λ = ½.',
  },
  {
    part: 'clockRate',
    name: 'Clock rate',
    headName: 'head',
    isLog: false,
    about: 'Mean advance of the head’s clock per token: a fast clock forgets what is far back.',
  },
]

/** Temperature, τ and clock rate over time; parameters that the model lacks are left out. */
export function parameterCharts({ heads, resumes }: History): HeadParameter[] {
  const drawn = spread(heads.length, 2 * DRAWN_RECORDS).map((i) => heads[i])
  const layers = layersOf(drawn)
  return PARAMETERS.flatMap(({ part, name, headName, isLog, about }): HeadParameter[] => {
    const all = drawn
      .flatMap((record) => record.layers.flatMap((layer) => layer[part]))
      .filter(Number.isFinite)
    if (all.length === 0) return []
    const headCount = Math.max(...layers.map((layer) => most(drawn, layer, part)))
    const common = { name, about, headCount, headName }
    if (all.every((value) => value === all[0])) return [{ ...common, charts: [], fixed: all[0] }]
    const canLog = isLog && all.every((value) => value > 0)
    const range = rangeOf(all, canLog)
    const steps = drawn.map((record) => record.step)
    const charts = layers.map((layer): Chart => {
      const columns = Array.from({ length: most(drawn, layer, part) }, (_, head) => ({
        steps,
        values: drawn.map((record) => record.layers[layer]?.[part][head] ?? Number.NaN),
      }))
      const { x, values } = join(columns)
      return {
        title: `layer ${layer}`,
        height: 150,
        x,
        series: values.map((column, head) =>
          line(`${headName} ${head}`, headColor(head), column, { width: 1.5, hasPoints: x.length === 1 }),
        ),
        left: { isLog: canLog, ...(range && { range }) },
        marks: resumes,
        hasLegend: false,
      }
    })
    return [{ ...common, charts, fixed: undefined }]
  })
}

const layersOf = (drawn: readonly HeadsRecord[]): number[] =>
  Array.from({ length: Math.max(0, ...drawn.map((record) => record.layers.length)) }, (_, layer) => layer)

type HeadPart = keyof HeadsRecord['layers'][number]

const most = (drawn: readonly HeadsRecord[], layer: number, part: HeadPart): number =>
  Math.max(0, ...drawn.map((record) => record.layers[layer]?.[part].length ?? 0))

/** Smallest and largest finite value with a margin of 4 %; undefined if there is none. */
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
