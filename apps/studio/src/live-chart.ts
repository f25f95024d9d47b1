import type { Chart } from '@tau/report'
import uPlot from 'uplot'

const FONT = '11px system-ui, sans-serif'

const cssColor = (name: string, opacity = 1): string => {
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
  const alpha = Math.round(opacity * 255)
  return value + alpha.toString(16).padStart(2, '0') // the palette is written as #rrggbb
}

const numberText = (value: number): string =>
  Math.abs(value) >= 1e4 ? `${Number((value / 1e3).toPrecision(3))}k` : String(Number(value.toPrecision(4)))

/** A chart of the report that grows during a run. The script of the report cannot do this, because it draws
 *  the data of its page only once. */
export class LiveChart {
  readonly #element: HTMLElement
  readonly #target: HTMLElement
  #chart: Chart | undefined
  #plot: uPlot | undefined
  /** Labels and point marks of the series that the plot was made for. If they change, the plot is made
   *  again. */
  #made = ''

  constructor(element: HTMLElement) {
    this.#element = element
    this.#target = element.querySelector('.plot')!
    new ResizeObserver(() => this.#fit()).observe(this.#target)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#made = ''
      if (this.#chart) this.draw(this.#chart)
    })
  }

  draw(chart: Chart): void {
    this.#chart = chart
    const width = this.#target.clientWidth
    if (width === 0) return
    const made = JSON.stringify(chart.series.map(({ label, hasPoints }) => [label, hasPoints]))
    const data = [chart.x, ...chart.series.map(({ values }) => values)] as uPlot.AlignedData
    if (this.#plot && made === this.#made) this.#plot.setData(data)
    else {
      this.#plot?.destroy()
      this.#plot = new uPlot(
        optionsOf(chart, width, () => this.#tell()),
        data,
        this.#target,
      )
      this.#made = made
      this.#element.querySelector('.chart-note')!.textContent = chart.note ?? ''
    }
    this.#tell()
  }

  #fit(): void {
    const width = this.#target.clientWidth
    if (this.#plot && width > 0 && width !== this.#plot.width)
      this.#plot.setSize({ width, height: this.#plot.height })
    else if (!this.#plot && this.#chart) this.draw(this.#chart)
  }

  /** Updates the legend: values under the cursor, or the last values. */
  #tell(): void {
    if (!this.#chart || !this.#plot) return
    const { x, series } = this.#chart
    const at = this.#plot.cursor.idx ?? x.length - 1
    const items = series.map(({ label, color, opacity, values }) => {
      const item = document.createElement('span')
      const swatch = document.createElement('i')
      swatch.style.background = `var(--${color})`
      swatch.style.opacity = String(Math.max(0.35, opacity))
      const value = document.createElement('b')
      value.textContent = numberText(values.slice(0, at + 1).findLast((one) => one !== null) ?? Number.NaN)
      item.append(swatch, `${label} `, value)
      return item
    })
    const step = document.createElement('span')
    step.className = 'legend-step'
    step.textContent = `step ${x[at]}`
    this.#element.querySelector('.legend')!.replaceChildren(...items, step)
  }
}

function optionsOf(chart: Chart, width: number, onCursor: () => void): uPlot.Options {
  const { left, right } = chart
  const factor = right?.factor
  return {
    width,
    height: chart.height,
    padding: [10, right ? 0 : 12, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      // A chart with one point needs a width, too.
      x: { time: false, range: (_, low, high) => (low === high ? [low, high + 1] : [low, high]) },
      ...(factor !== undefined && {
        right: {
          from: 'left',
          range: (_: uPlot, low: number, high: number) => [low * factor, high * factor],
        },
      }),
    },
    axes: [
      {
        stroke: () => cssColor('muted'),
        font: FONT,
        size: 26,
        gap: 2,
        grid: { show: false },
        ticks: { show: false },
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5],
      },
      axisOf('left', left.label),
      ...(right ? [axisOf('right', right.label)] : []),
    ],
    series: [
      {},
      ...chart.series.map(
        (series): uPlot.Series => ({
          scale: series.axis,
          stroke: cssColor(series.color, series.opacity),
          width: series.width,
          spanGaps: true,
          points: { show: series.hasPoints, size: 5, fill: cssColor(series.color) },
        }),
      ),
    ],
    hooks: { setCursor: [onCursor] },
  }
}

const axisOf = (scale: 'left' | 'right', label: string | undefined): uPlot.Axis => ({
  scale,
  side: scale === 'left' ? 3 : 1,
  stroke: () => cssColor('muted'),
  font: FONT,
  labelFont: FONT,
  ...(label && { label, labelSize: 18, labelGap: 0 }),
  size: 44,
  gap: 4,
  grid: { show: scale === 'left', stroke: () => cssColor('line'), width: 1 },
  ticks: { show: false },
  values: (_, ticks) => ticks.map(numberText),
})
