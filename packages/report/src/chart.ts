/** A chart as data. Our code computes it, and the script of the page draws it without knowing about runs or
 *  graphs. */
export interface Chart {
  readonly title: string
  /** Small print under the title. */
  readonly note?: string
  /** Height of the plot in CSS pixels. */
  readonly height: number
  /** The x values of all series, rising: optimizer steps, unless `xName` says otherwise. */
  readonly x: readonly number[]
  /** Name of x, if x is not the step. Such a chart does not share its cursor with other charts. */
  readonly xName?: string
  /** Limits of x. Default: its first and last value. */
  readonly xRange?: readonly [number, number]
  readonly series: readonly Series[]
  readonly left: Axis
  readonly right?: Axis
  /** Filled areas between two series, given by their indices in `series`. */
  readonly bands?: readonly Band[]
  /** Dashed vertical lines at these values of x, such as the steps where the run was resumed. */
  readonly marks?: readonly number[]
  /** False for small charts that share one legend outside the chart. */
  readonly hasLegend: boolean
}

export interface Series {
  readonly label: string
  /** Name of a CSS custom property without its dashes: `blue` is `--blue`. */
  readonly color: string
  readonly axis: 'left' | 'right'
  /** One value per x; null is a gap. */
  readonly values: readonly (number | null)[]
  readonly width: number
  /** 0 to 1. */
  readonly opacity: number
  /** Draws a point at each value. Meant for series with few values. */
  readonly hasPoints: boolean
  /** Draws bars from 0 to each value. The x must be evenly spaced. */
  readonly isBars?: boolean
  /** The series is only the edge of a band, so it has no legend entry. */
  readonly isEdge?: boolean
  /** Second number of the legend: the value times `factor`, then `unit`. */
  readonly also?: { readonly factor: number; readonly unit: string }
}

export interface Axis {
  readonly label?: string
  readonly isLog?: boolean
  /** Scales counts by arcsinh. Then 1 and 1000 are both visible, and 0 has a place, which a log axis
   *  lacks. */
  readonly isCounts?: boolean
  /** Fixed limits. Default: the limits follow the visible values. */
  readonly range?: readonly [number, number]
  /** Only on the right axis: it shows the values of the left axis times `factor`. */
  readonly factor?: number
}

interface Band {
  readonly upper: number
  readonly lower: number
  readonly color: string
  readonly opacity: number
}
