import { writeFileSync } from 'node:fs'
import * as Plot from '@observablehq/plot'
import { Resvg } from '@resvg/resvg-js'
import { parseHTML } from 'linkedom'

/** One point of a curve. */
export interface Point {
  readonly x: number
  readonly y: number
}

export interface Curve {
  readonly label: string
  readonly color: string
  readonly points: readonly Point[]
}

export interface LinePlot {
  readonly title: string
  /** The label of the axis, with its unit. */
  readonly x: string
  readonly y: string
  readonly curves: readonly Curve[]
  /** The text of a tick of y. Default: the number. */
  readonly formatY?: (value: number) => string
}

/** Colours that the colour-blind can tell apart (Okabe and Ito). */
export const COLORS = {
  tau: '#0072b2',
  quadratic: '#009e73',
  dot: '#d55e00',
  f16: '#56b4e9',
  bounded: '#cc79a7',
  peer: '#000000',
}

const WIDTH = 760
const HEIGHT = 440
const MARGIN = { top: 56, right: 170, bottom: 48, left: 76 }
/** Height of a label. Labels of curves that end together stand one below the other. */
const LABEL_GAP = 17
const FONT = 'DejaVu Sans, Helvetica, Arial, sans-serif'

/** 1024 → 1 Ki, 2²⁰ → 1 Mi. */
export const binaryText = (value: number): string =>
  value >= 2 ** 20 ? `${value / 2 ** 20} Mi` : value >= 1024 ? `${value / 1024} Ki` : String(value)

/** Powers of ten. If they are few, 2 and 5 times them, too. */
function decimalTicks(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const factors = high / low < 1000 ? [1, 2, 5] : [1]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const factor of factors) ticks.push(factor * 10 ** power)
  return ticks.filter((tick) => tick >= low && tick <= high)
}

/** An SVG of curves over two logarithmic axes. Each curve has its name on the right, at the height of its
 *  end. */
export function linePlot({ title, x, y, curves, formatY = String }: LinePlot): string {
  const { document } = parseHTML('<html><body></body></html>')
  const rows = curves.flatMap(({ label, color, points }) =>
    points.map((point) => ({ ...point, label, color })),
  )
  const xs = rows.map((row) => row.x)
  const [first, last] = [Math.min(...xs), Math.max(...xs)]
  const ticks: number[] = []
  for (let tick = 2 ** Math.ceil(Math.log2(first)); tick <= last; tick *= last / first > 300 ? 4 : 2)
    ticks.push(tick)
  const ticksY = decimalTicks(rows.map((row) => row.y))
  const svg = Plot.plot({
    document,
    width: WIDTH,
    height: HEIGHT,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    style: { fontFamily: FONT, fontSize: '13px', background: 'white', color: '#222' },
    x: { type: 'log', base: 2, label: null, ticks, tickFormat: binaryText },
    y: { type: 'log', axis: null },
    marks: [
      Plot.ruleY(ticksY, { stroke: '#e2e2e2' }),
      // Plot's own axis leaves out some labels of a logarithmic scale.
      Plot.text(ticksY, { x: () => first, y: (tick) => tick, text: formatY, textAnchor: 'end', dx: -12 }),
      Plot.line(rows, { x: 'x', y: 'y', z: 'label', stroke: 'color', strokeWidth: 2.2 }),
      Plot.dot(rows, { x: 'x', y: 'y', fill: 'color', r: 3 }),
    ],
  })
  const scale = svg.scale('y')
  if (!scale) throw new Error('internal: a plot must have a scale')
  const text = (content: string, atX: number, atY: number, attributes: Readonly<Record<string, string>>) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', 'text')
    const all = { x: String(atX), y: String(atY), 'text-anchor': 'start', ...attributes }
    for (const [name, value] of Object.entries(all)) element.setAttribute(name, value)
    element.textContent = content
    svg.append(element)
  }
  text(title, 12, 22, { 'font-size': '15', 'font-weight': 'bold', fill: 'currentColor' })
  text(y, 12, 44, { fill: 'currentColor' })
  text(x, (MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 8, {
    'text-anchor': 'middle',
    fill: 'currentColor',
  })
  const labels = curves
    .filter(({ points }) => points.length > 0)
    .map(({ label, color, points }) => ({
      label,
      color,
      at: Number(scale.apply(points[points.length - 1].y)),
    }))
    .sort((a, b) => a.at - b.at)
  const lowest = HEIGHT - MARGIN.bottom - 6
  labels.forEach(({ label, color, at }, i) => {
    const free = i === 0 ? at : Math.max(at, labels[i - 1].at + LABEL_GAP)
    labels[i].at = Math.min(free, lowest - (labels.length - 1 - i) * LABEL_GAP)
    text(label, WIDTH - MARGIN.right + 9, labels[i].at + 4, { fill: color, 'font-weight': 'bold' })
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return `${svg.outerHTML}\n`
}

/** Writes `<path>.svg` and `<path>.png`, the latter with twice the pixels. */
export function writePlot(path: string, plot: LinePlot): void {
  const svg = linePlot(plot)
  writeFileSync(`${path}.svg`, svg)
  const image = new Resvg(svg, {
    fitTo: { mode: 'width', value: 2 * WIDTH },
    font: { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans' },
    background: 'white',
  })
  writeFileSync(`${path}.png`, image.render().asPng())
}

export const msText = (ms: number): string =>
  ms >= 1000 ? `${ms / 1000} s` : ms >= 1 ? `${ms} ms` : `${Number((ms * 1000).toPrecision(6))} µs`

export const bytesText = (bytes: number): string =>
  bytes >= 1e9 ? `${bytes / 1e9} GB` : bytes >= 1e6 ? `${bytes / 1e6} MB` : `${bytes / 1e3} kB`
