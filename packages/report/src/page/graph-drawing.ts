import { html, type Markup } from './html.ts'

/** A graph to draw: nodes with place, size, colour and note, and weighted edges. */
export interface GraphDrawing {
  readonly nodes: readonly DrawnNode[]
  readonly edges: readonly DrawnEdge[]
  /** Whether names are written beside the nodes. If not, they only show under the drawing. */
  readonly hasLabels: boolean
}

export interface DrawnNode {
  /** Place in any unit, because the drawing is scaled to the page. y points downwards. */
  readonly x: number
  readonly y: number
  readonly name: string
  /** Text that shows when the pointer is on the node. */
  readonly note: string
  /** Area as a share of the largest area, 0 to 1. */
  readonly size: number
  /** Class of graph.css or report.css that gives the colour: `shade-0` to `shade-8`, or `head-0` to
   *  `head-7`. */
  readonly color: string
}

export interface DrawnEdge {
  readonly from: number
  readonly to: number
  readonly weight: number
}

/** Number of classes `shade-…`. They go from the low end of a range to the high end. */
export const SHADES = 9

const WIDTH = 1000
const MARGIN = 28
const EDGE_CLASSES = 5
const MIDDLE_CLASS = 2
/** So many edges are drawn fainter, or they cover the nodes. */
const DENSE_EDGES = 1500

/** What the page's script knows of a drawing: names and notes of its nodes, and pairs of joined nodes. */
export interface GraphData {
  readonly names: readonly string[]
  readonly notes: readonly string[]
  readonly pairs: readonly number[]
}

export const graphData = ({ nodes, edges }: GraphDrawing): GraphData => ({
  names: nodes.map(({ name }) => name),
  notes: nodes.map(({ note }) => note),
  pairs: edges.flatMap(({ from, to }) => [from, to]),
})

/** SVG of a graph, with the controls that graph-client.ts brings to life. Edges of like weight are one path:
 *  thousands of them stay light. */
export function graphMarkup(id: string, drawing: GraphDrawing, label: string): Markup {
  const { nodes, edges, hasLabels } = drawing
  const { places, height } = fitted(nodes)
  const weights = edges.map(({ weight }) => Math.abs(weight))
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0)
  const areEqual = weights.every((weight) => weight === heaviest)
  const paths = Array.from({ length: EDGE_CLASSES }, () => '')
  for (const { from, to, weight } of edges) {
    const share = heaviest === 0 ? 0 : Math.abs(weight) / heaviest
    const one = Math.min(EDGE_CLASSES - 1, Math.floor(share * EDGE_CLASSES))
    paths[areEqual ? MIDDLE_CLASS : one] += `M${places[from]}L${places[to]}`
  }
  return html`<div class="graph" data-graph="${id}">
<div class="graph-bar"><label>Find <input type="search" autocomplete="off" spellcheck="false"></label><span><button type="button" data-zoom="in" aria-label="closer">+</button><button type="button" data-zoom="out" aria-label="farther">−</button><button type="button" data-zoom="all">all</button></span></div>
<svg class="${edges.length > DENSE_EDGES ? 'dense' : 'light'}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}">
<g class="edges">${paths.map((path, i) => (path === '' ? undefined : html`<path class="edge-${i}" d="${path}"/>`))}</g>
<path class="near" d=""/>
<g class="nodes">${nodes.map(({ size, color }, i) => {
    const [x, y] = places[i].split(' ')
    return html`<circle class="${color}" cx="${x}" cy="${y}" r="${round(3 + 9 * Math.sqrt(size))}"/>`
  })}</g>
${
  hasLabels
    ? html`<g class="labels" font-size="12">${nodes.map(({ name }, i) => {
        const [x, y] = places[i].split(' ')
        return html`<text x="${x}" y="${y}" dy="-0.7em">${name}</text>`
      })}</g>`
    : undefined
}</svg>
<p class="graph-info" aria-live="polite"></p>
</div>
`
}

const round = (value: number): number => Number(value.toFixed(1))

/** Rotates the nodes so the drawing is widest from left to right, and scales it to the width. Returns
 *  the places as "x y", and the resulting height. */
function fitted(nodes: readonly DrawnNode[]): { places: string[]; height: number } {
  const turned = turnedToWidth(nodes)
  const [xs, ys] = [turned.map(([x]) => x), turned.map(([, y]) => y)]
  const [left, top] = [Math.min(...xs), Math.min(...ys)]
  const span = Math.max(Math.max(...xs) - left, Number.MIN_VALUE)
  const tall = Math.max(...ys) - top
  const scale = (WIDTH - 2 * MARGIN) / Math.max(span, tall)
  const height = Math.max(WIDTH * 0.4, Math.ceil(tall * scale) + 2 * MARGIN)
  const [shiftX, shiftY] = [(WIDTH - span * scale) / 2, (height - tall * scale) / 2]
  const places = turned.map(
    ([x, y]) => `${round((x - left) * scale + shiftX)} ${round((y - top) * scale + shiftY)}`,
  )
  return { places, height }
}

/** Rotates the nodes by the angle of their principal axis, ½·atan2(2·cov, varX − varY). */
function turnedToWidth(nodes: readonly DrawnNode[]): [number, number][] {
  const mean = (read: (node: DrawnNode) => number) =>
    nodes.reduce((sum, node) => sum + read(node), 0) / nodes.length
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)]
  const varX = mean(({ x }) => (x - meanX) ** 2)
  const varY = mean(({ y }) => (y - meanY) ** 2)
  const covariance = mean(({ x, y }) => (x - meanX) * (y - meanY))
  const angle = Math.atan2(2 * covariance, varX - varY) / 2
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return nodes.map(({ x, y }) => [x * cos + y * sin, y * cos - x * sin])
}
