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
  /** With its unit. */
  readonly x: string
  readonly y: string
  readonly curves: readonly Curve[]
  /** Texts of the ticks of y; default: the number. */
  readonly formatY?: (value: number) => string
  /** Distance between the labels at the ends of curves, in pixels, that tells overlapping ones apart. */
  readonly labelGap?: number
}

/** Colours that the colour-blind can tell apart (Okabe and Ito). */
export const COLORS = {
  tau: '#0072b2',
  quadratic: '#009e73',
  dot: '#d55e00',
  f16: '#56b4e9',
  bounded: '#cc79a7',
}

const WIDTH = 760
const HEIGHT = 440
const MARGIN = { top: 56, right: 170, bottom: 48, left: 76 }
const FONT = 'DejaVu Sans, Helvetica, Arial, sans-serif'

/** 1024 → 1 Ki, 2²⁰ → 1 Mi. */
export const binaryText = (value: number): string =>
  value >= 2 ** 20 ? `${value / 2 ** 20} Mi` : value >= 1024 ? `${value / 1024} Ki` : String(value)

/** Powers of ten, with 2 and 5 between them where they are few. */
function decimalTicks(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const factors = high / low < 1000 ? [1, 2, 5] : [1]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const factor of factors) ticks.push(factor * 10 ** power)
  return ticks.filter((tick) => tick >= low && tick <= high)
}

/** Curves over two logarithmic axes, each named at its end: an SVG that stands by itself. */
export function linePlot({ title, x, y, curves, formatY = String, labelGap = 17 }: LinePlot): string {
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
      // an axis of Plot leaves out some labels of a logarithmic scale
      Plot.text(ticksY, { x: () => first, y: (tick) => tick, text: formatY, textAnchor: 'end', dx: -12 }),
      Plot.line(rows, { x: 'x', y: 'y', z: 'label', stroke: 'color', strokeWidth: 2.2 }),
      Plot.dot(rows, { x: 'x', y: 'y', fill: 'color', r: 3 }),
    ],
  })
  const scaleOf = (name: 'x' | 'y') => svg.scale(name)
  const [placeX, placeY] = [scaleOf('x'), scaleOf('y')]
  if (!placeX || !placeY) throw new Error('internal: a plot must have both scales')
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
  const ends = curves
    .filter(({ points }) => points.length > 0)
    .map(({ label, color, points }) => {
      const end = points[points.length - 1]
      return { label, color, x: Number(placeX.apply(end.x)), y: Number(placeY.apply(end.y)) }
    })
    .sort((a, b) => a.y - b.y)
  const right = ends.filter((end) => end.x > WIDTH - MARGIN.right - 40)
  for (let i = 1; i < right.length; i++) right[i].y = Math.max(right[i].y, right[i - 1].y + labelGap)
  for (const { label, color, x: atX, y: atY } of right)
    text(label, atX + 9, atY + 4, { fill: color, 'font-weight': 'bold' })
  // Where others go on to the right, the free side of the highest curve is on its left, that of the next below it.
  ends
    .filter((end) => !right.includes(end))
    .forEach(({ label, color, x: atX, y: atY }, i) => {
      const place: Record<string, string> =
        i === 0 ? { 'text-anchor': 'end', dx: '-10' } : { dx: '10', dy: '8' }
      text(label, atX, atY, { fill: color, 'font-weight': 'bold', ...place })
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
