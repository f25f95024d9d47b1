/** What the page's script draws: the report computes these on the Node side, the browser knows nothing of runs and graphs. */
export interface Chart {
  readonly title: string
  /** Small print under the title. */
  readonly note?: string
  /** Height of the plot in CSS pixels. */
  readonly height: number
  /** Common x of all series, rising: optimizer steps unless named. */
  readonly x: readonly number[]
  /** What x is, where it is no step: such charts do not share the cursor of others. */
  readonly xName?: string
  /** Limits of x; by default its first and last value. */
  readonly xRange?: readonly [number, number]
  readonly series: readonly Series[]
  readonly left: Axis
  readonly right?: Axis
  /** Areas between two series, by index in `series`. */
  readonly bands?: readonly Band[]
  /** Values of x, such as steps at which the run was resumed: dashed lines. */
  readonly marks?: readonly number[]
  /** Small multiples share one legend outside the chart. */
  readonly hasLegend: boolean
}

export interface Series {
  readonly label: string
  /** Name of a CSS custom property: `blue` is `--blue`. */
  readonly color: string
  readonly axis: 'left' | 'right'
  /** One value per x; null is a gap. */
  readonly values: readonly (number | null)[]
  readonly width: number
  /** 0 to 1. */
  readonly opacity: number
  /** Marks at the values: for series with few of them. */
  readonly hasPoints: boolean
  /** Bars from 0 around evenly spaced x. */
  readonly isBars?: boolean
  /** Part of a band only: no legend entry. */
  readonly isEdge?: boolean
  /** A second number in the legend: the value times `factor`, followed by `unit`. */
  readonly also?: { readonly factor: number; readonly unit: string }
}

export interface Axis {
  readonly label?: string
  readonly isLog?: boolean
  /** Counts by arcsinh: 1 and 1000 can both be seen, and 0 has a place. */
  readonly isCounts?: boolean
  /** Fixed limits; by default they follow the visible values. */
  readonly range?: readonly [number, number]
  /** A second reading of the left axis: left value times `factor`. Only on the right axis. */
  readonly factor?: number
}

interface Band {
  readonly upper: number
  readonly lower: number
  readonly color: string
  readonly opacity: number
}
