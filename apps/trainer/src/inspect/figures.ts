import { type Csr, connectedComponents, diagonal, type LaplacianSpectrum } from '@tau/graph'
import type { Chart } from '@tau/report'
import { compact } from '@tau/report'
import { type DrawnEdge, figure, type GraphDrawing, SHADES } from '@tau/report/page'
import { type DrawnPart, drawnPart } from './edges.ts'
import { histogram } from './histogram.ts'
import type { ItemLook } from './items.ts'
import { layoutGraph } from './layout.ts'

export interface HistogramFigure {
  readonly title: string
  readonly note?: string
  /** Name of the values. */
  readonly xName: string
  /** Name of the counted things. */
  readonly of: string
  readonly color: string
  readonly values: ArrayLike<number>
  readonly marks?: readonly number[]
}

/** If one bin has more than this share of the values, the axis is not linear, because other bins would be
 *  invisible. */
const PEAKED = 0.6

/** Bar chart of a histogram. Undefined if no value is finite. */
export function histogramChart({
  title,
  note,
  xName,
  of,
  color,
  values,
  marks,
}: HistogramFigure): Chart | undefined {
  const bins = histogram(values)
  if (bins === undefined) return undefined
  const { from, width, counts } = bins
  const highest = Math.max(...counts)
  const isPeaked = counts.length > 1 && highest > PEAKED * counts.reduce((sum, count) => sum + count, 0)
  return {
    title,
    ...(note !== undefined && { note }),
    height: 190,
    x: counts.map((_, bin) => from + (bin + 0.5) * width),
    xName,
    xRange: [from, from + counts.length * width],
    series: [
      {
        label: of,
        color,
        values: counts,
        axis: 'left',
        width: 1,
        opacity: 1,
        hasPoints: false,
        isBars: true,
      },
    ],
    left: isPeaked ? { range: [0, highest * 1.6], isCounts: true } : { range: [0, highest * 1.06] },
    ...(marks && { marks }),
    hasLegend: true,
  }
}

/** Chart of the eigenvalues, numbered from 1. A dashed line marks the eigengap. */
export function spectrumChart({ values, isWhole, eigengap }: LaplacianSpectrum): Chart {
  return {
    title: isWhole ? 'Eigenvalues' : `The ${values.length} smallest eigenvalues`,
    ...(eigengap && { note: `Dashed: the eigengap, after ${eigengap.clusters}` }),
    height: 260,
    x: Array.from(values, (_, i) => i + 1),
    xName: 'number',
    xRange: [0, values.length + 1],
    series: [
      {
        label: 'eigenvalue',
        color: 'blue',
        values: Array.from(values, (value) => compact(Math.abs(value) < 1e-12 ? 0 : value)),
        axis: 'left',
        width: 0,
        opacity: 1,
        hasPoints: true,
      },
    ],
    left: {},
    ...(eigengap && { marks: [eigengap.clusters + 0.5] }),
    hasLegend: true,
  }
}

/** How the nodes of a drawing are coloured. */
export type Colouring = 'fiedler' | 'component' | 'lambda'

export interface FeatureFigure {
  readonly drawing: GraphDrawing
  readonly part: DrawnPart
  readonly colouring: Colouring
}

/** Drawing of the graph among the features. The area of a node is its degree. Its colour is its value in the
 *  Fiedler vector, or its component if the graph is not connected. */
export function featureFigure(laplacian: Csr, spectrum: LaplacianSpectrum | string): FeatureFigure {
  const degrees = diagonal(laplacian)
  const part = drawnPart(laplacian, degrees)
  const { labels, count } = connectedComponents(laplacian)
  const fiedler = typeof spectrum === 'string' ? undefined : spectrum.fiedler
  const shades = fiedler && shadesOf(part.nodes.map((node) => fiedler[node]))
  const places = layoutGraph(part.nodes.length, part.edges)
  const strongest = neighbourTexts(part)
  const largest = Math.max(...part.nodes.map((node) => degrees[node]))
  const nodes = part.nodes.map((node, i) => ({
    ...places[i],
    name: String(node),
    note: [
      `degree ${figure(degrees[node])}`,
      fiedler ? `Fiedler ${figure(fiedler[node])}` : `component ${labels[node] + 1} of ${count}`,
      strongest[i],
    ].join(' · '),
    size: largest > 0 ? Math.max(0, degrees[node] / largest) : 0,
    color: shades ? shades[i] : `head-${labels[node] % 8}`,
  }))
  return {
    drawing: { nodes, edges: part.edges, hasLabels: false },
    part,
    colouring: shades ? 'fiedler' : 'component',
  }
}

/** Drawing of the graph among some items. The colour of a node is its λ. */
export function itemFigure({ shown, graph, lambda }: ItemLook): GraphDrawing {
  const { edges } = drawnPart(graph, diagonal(graph))
  const places = layoutGraph(shown.length, edges)
  const shades = shadesOf(
    shown.map((item) => item.lambda),
    lambda,
  )
  const names = shown.map((item) => item.name)
  const lists = namesBeside(shown.length, edges, names)
  const nodes = shown.map((item, i) => ({
    ...places[i],
    name: item.name,
    note: `λ ${figure(item.lambda)} · near ${lists[i].join(', ')}`,
    size: 0.12,
    color: shades[i],
  }))
  return { nodes, edges, hasLabels: true }
}

/** Shades by rank among `all`. Shades by value would give most nodes one colour if there is an outlier. */
function shadesOf(values: readonly number[], all: ArrayLike<number> = values): string[] {
  const sorted = Float64Array.from(all).sort()
  return values.map((value) => {
    const below = rankOf(sorted, value)
    return `shade-${Math.min(SHADES - 1, Math.floor((below * SHADES) / sorted.length))}`
  })
}

/** Number of sorted values that are less than `value`. */
function rankOf(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}

/** For each node, the names of its neighbours. The heaviest edge comes first. */
function namesBeside(size: number, edges: readonly DrawnEdge[], names: readonly string[]): string[][] {
  const lists: string[][] = Array.from({ length: size }, () => [])
  for (const { from, to } of edges) {
    lists[from].push(names[to])
    lists[to].push(names[from])
  }
  return lists
}

const NAMED = 6

function neighbourTexts({ nodes, edges }: DrawnPart): string[] {
  const lists = namesBeside(nodes.length, edges, nodes.map(String))
  return lists.map((list) => {
    if (list.length === 0) return 'no neighbours'
    const more = list.length > NAMED ? `, … (${list.length} in all)` : ''
    return `nearest ${list.slice(0, NAMED).join(', ')}${more}`
  })
}
