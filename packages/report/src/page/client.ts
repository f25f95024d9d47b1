// The script of the page. It draws every [data-chart] element from the JSON in #charts. It is inlined after
// the script of uPlot, and only its types are stripped. So it may import only types, and must parse without a
// build.
import type UPlot from 'uplot'
import type { Axis, Chart, Series } from '../chart.ts'

declare const uPlot: typeof UPlot

const charts: Record<string, Chart> = JSON.parse(document.getElementById('charts')!.textContent!)
const drawn = new Map<HTMLElement, UPlot>()
const waiting = new Set<HTMLElement>()
const FRAME_MS = 12

const cssColor = (name: string, opacity = 1): string => {
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
  if (opacity === 1) return value
  const alpha = Math.round(opacity * 255)
    .toString(16)
    .padStart(2, '0')
  return value + alpha // the palette is written as #rrggbb
}

const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

function format(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size < 1e-3) return value.toExponential(2).replace(/\.?0+e/, 'e')
  if (size >= 1e6) return `${trim((value / 1e6).toPrecision(3))}M`
  if (size >= 1e4) return `${trim((value / 1e3).toPrecision(3))}k`
  return size >= 1000 ? String(Math.round(value)) : trim(value.toPrecision(4))
}

const formatTick = (value: number | null): string =>
  value === null ? '' : format(Number(value.toPrecision(6)))

/** The value at an index, or the last one before it. */
function valueAt(series: Series, index: number): number | undefined {
  for (let i = index; i >= 0; i--) {
    const value = series.values[i]
    if (value !== null) return value
  }
  return undefined
}

function legendText(series: Series, index: number): string {
  const value = valueAt(series, index)
  if (value === undefined) return '–'
  const also = series.also ? ` · ${format(value * series.also.factor)} ${series.also.unit}` : ''
  return format(value) + also
}

/** Builds the legend above the plot, and returns the function that updates it. It shows the values under the
 *  cursor, or the last values. A click hides a series. */
function legendOf(chart: Chart, element: HTMLElement): (index: number | null | undefined) => void {
  const legend = element.querySelector('.legend')
  if (legend === null) return () => {}
  const stepItem = document.createElement('span')
  stepItem.className = 'legend-step'
  const items = chart.series.flatMap((series, i) => {
    if (series.isEdge) return []
    const item = document.createElement('button')
    item.type = 'button'
    item.setAttribute('aria-pressed', 'true')
    const swatch = document.createElement('i')
    swatch.style.background = `var(--${series.color})`
    swatch.style.opacity = String(Math.max(0.35, series.opacity))
    const value = document.createElement('b')
    item.append(swatch, `${series.label} `, value)
    item.addEventListener('click', () => {
      const plot = drawn.get(element)
      if (plot === undefined) return
      const show = !plot.series[i + 1].show
      plot.setSeries(i + 1, { show })
      item.setAttribute('aria-pressed', String(show))
    })
    return [{ series, value, item }]
  })
  legend.replaceChildren(...items.map(({ item }) => item), stepItem)
  const { xName } = chart
  stepItem.classList.toggle('is-named', xName !== undefined)
  return (index) => {
    // Without a cursor, a chart over steps shows its last step. A histogram shows nothing.
    const at = index ?? (xName === undefined ? chart.x.length - 1 : undefined)
    for (const { series, value } of items) value.textContent = at === undefined ? '' : legendText(series, at)
    const x = at === undefined ? undefined : chart.x[at]
    if (x === undefined) stepItem.textContent = ''
    else
      stepItem.textContent = xName === undefined ? `step ${x.toLocaleString('en')}` : `${xName} ${format(x)}`
  }
}

/** Leading digits of the ticks on a log axis, from coarse to fine. */
const LOG_DIGITS = [[1], [1, 2, 5], [1, 1.5, 2, 3, 5, 7], [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]]

/** Ticks of a log axis: digits times powers of ten. Takes the coarsest digits that give at least three
 *  ticks. */
function logSplits(low: number, high: number): number[] {
  const inside = LOG_DIGITS.map((digits) => {
    const values: number[] = []
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
      for (const digit of digits) values.push(Number(`${digit}e${power}`))
    return values.filter((value) => value >= low && value <= high)
  })
  return inside.find((values) => values.length >= 3) ?? inside[inside.length - 1]
}

/** Ticks of a count axis: 0 and powers of ten. */
function countSplits(high: number): number[] {
  const powers = Math.floor(Math.log10(Math.max(1, high)))
  return [0, ...Array.from({ length: powers + 1 }, (_, power) => 10 ** power)]
}

interface AxisPlace {
  readonly scale: 'left' | 'right'
  readonly side: 1 | 3
  readonly isSmall: boolean
}

function axisOf(axis: Axis, { scale, side, isSmall }: AxisPlace): UPlot.Axis {
  return {
    ...(axis.isLog && {
      splits: (_: UPlot, __: number, low: number, high: number) => logSplits(low, high),
      filter: (_: UPlot, splits: number[]) => splits,
    }),
    ...(axis.isCounts && {
      splits: (_: UPlot, __: number, ___: number, high: number) => countSplits(high),
      filter: (_: UPlot, splits: number[]) => splits,
    }),
    scale,
    side,
    stroke: () => cssColor('muted'),
    font: '11px system-ui, sans-serif',
    labelFont: '11px system-ui, sans-serif',
    ...(axis.label && { label: axis.label, labelSize: 18, labelGap: 0 }),
    size: 44,
    gap: 4,
    grid: { show: side === 3, stroke: () => cssColor('line'), width: 1 },
    ticks: { show: false },
    values: (_, ticks) => ticks.map(formatTick),
    space: isSmall ? 22 : 34,
  }
}

function scalesOf(chart: Chart): UPlot.Scales {
  const scale = ({ range, isLog, isCounts }: Axis): UPlot.Scale => ({
    ...(isLog && { distr: 3, log: 10 }),
    ...(isCounts && { distr: 4, asinh: 1 }),
    ...(range && { range: [range[0], range[1]] }),
  })
  const factor = chart.right?.factor
  return {
    // A chart with one point needs a width, too.
    x: {
      time: false,
      range: (_, low, high) => {
        const isAll = low === chart.x[0] && high === chart.x[chart.x.length - 1]
        if (isAll && chart.xRange) return [chart.xRange[0], chart.xRange[1]]
        return low === high ? [low - 1, high + 1] : [low, high]
      },
    },
    left: scale(chart.left),
    ...(chart.right && {
      right:
        factor === undefined
          ? scale(chart.right)
          : { from: 'left', range: (_: UPlot, low: number, high: number) => [low * factor, high * factor] },
    }),
  }
}

function drawMarks(plot: UPlot, marks: readonly number[]): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.strokeStyle = cssColor('muted')
  ctx.setLineDash([4, 4])
  for (const step of marks) {
    const at = Math.round(plot.valToPos(step, 'x', true))
    if (at < bbox.left || at > bbox.left + bbox.width) continue
    ctx.beginPath()
    ctx.moveTo(at, bbox.top)
    ctx.lineTo(at, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

/** Allowed distances of ticks. They are whole, because steps are whole. */
const STEP_INCREMENTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6]

function draw(element: HTMLElement): void {
  const chart = charts[element.dataset.chart!]
  const target = element.querySelector<HTMLElement>('.plot')!
  const showLegend = legendOf(chart, element)
  const isSmall = chart.height < 160
  const options: UPlot.Options = {
    width: target.clientWidth,
    height: chart.height,
    padding: [10, chart.right ? 0 : 12, 0, 0],
    scales: scalesOf(chart),
    legend: { show: false },
    cursor: {
      ...(chart.xName === undefined && { sync: { key: 'step', setSeries: false, scales: ['x', null] } }),
      drag: { x: true, y: false },
      points: { size: 6 },
      y: false,
    },
    axes: [
      {
        stroke: () => cssColor('muted'),
        font: '11px system-ui, sans-serif',
        grid: { show: false },
        ticks: { stroke: () => cssColor('line'), size: 4 },
        size: isSmall ? 22 : 26,
        gap: 2,
        ...(chart.xName === undefined && { incrs: STEP_INCREMENTS }),
        values: (_, ticks) => ticks.map(formatTick),
      },
      axisOf(chart.left, { scale: 'left', side: 3, isSmall }),
      ...(chart.right ? [axisOf(chart.right, { scale: 'right', side: 1, isSmall })] : []),
    ],
    series: [
      {},
      ...chart.series.map(
        (series): UPlot.Series => ({
          scale: series.axis,
          stroke: cssColor(series.color, series.opacity),
          width: series.width,
          spanGaps: true,
          ...(series.isBars && {
            paths: uPlot.paths.bars?.({ size: [1, Number.POSITIVE_INFINITY], gap: 1 }),
            fill: cssColor(series.color, 0.45),
          }),
          points: {
            show: series.hasPoints && !series.isEdge,
            size: 5,
            fill: cssColor(series.color),
          },
        }),
      ),
    ],
    bands: chart.bands?.map((band) => ({
      series: [band.upper + 1, band.lower + 1],
      fill: cssColor(band.color, band.opacity),
    })),
    hooks: {
      draw: chart.marks?.length ? [(plot) => drawMarks(plot, chart.marks!)] : [],
      setCursor: [(plot) => showLegend(plot.cursor.idx)],
    },
  }
  const data = [chart.x, ...chart.series.map((series) => series.values)]
  drawn.get(element)?.destroy()
  drawn.set(element, new uPlot(options, data as UPlot.AlignedData, target))
  showLegend(null)
}

/** Draws waiting charts for at most FRAME_MS per frame, so a page with a hundred charts stays responsive. */
function drawSome(): void {
  const start = performance.now()
  for (const element of waiting) {
    if (performance.now() - start > FRAME_MS) break
    waiting.delete(element)
    draw(element)
  }
  if (waiting.size > 0) requestAnimationFrame(drawSome)
  else document.documentElement.dataset.ready = 'true'
}

function enqueue(element: HTMLElement): void {
  if (waiting.size === 0) requestAnimationFrame(drawSome)
  waiting.add(element)
}

// Elements in a closed <details> have no width. They are drawn when they get one.
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const element = target.parentElement!
    const width = target.clientWidth
    const plot = drawn.get(element)
    if (width === 0) continue
    if (plot === undefined) enqueue(element)
    else if (plot.width !== width) plot.setSize({ width, height: plot.height })
  }
})

const elements = document.querySelectorAll<HTMLElement>('[data-chart]')
for (const element of elements) observer.observe(element.querySelector('.plot')!)
if (elements.length === 0) document.documentElement.dataset.ready = 'true'

// A button in the key of a group of small charts shows or hides its colour in all of them.
for (const button of document.querySelectorAll<HTMLElement>('.key button')) {
  button.addEventListener('click', () => {
    const show = button.getAttribute('aria-pressed') === 'false'
    button.setAttribute('aria-pressed', String(show))
    for (const element of button.closest('[data-group]')!.querySelectorAll<HTMLElement>('[data-chart]')) {
      charts[element.dataset.chart!].series.forEach((series, i) => {
        if (series.color === button.dataset.color) drawn.get(element)?.setSeries(i + 1, { show })
      })
    }
  })
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const element of drawn.keys()) enqueue(element)
})
