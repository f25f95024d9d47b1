import type { Metrics } from '../records/record.ts'

/** A table of figures; without rows it is left out. */
export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A column: its head, and its cell for a row. */
export type Column = readonly [head: string, cell: (row: string) => string]

export const tableOf = (title: string, rows: readonly string[], columns: readonly Column[]): Table => ({
  title,
  head: columns.map(([head]) => head),
  rows: rows.map((row) => columns.map(([, cell]) => cell(row))),
})

/** The text of a figure; a dash where it was not measured. */
export const shown = (value: number | undefined, text: (value: number) => string): string =>
  value === undefined ? '–' : text(value)

/** Cells of the metrics `<prefix><row><suffix>`. */
export const cellsOf =
  (metrics: Metrics, prefix: string) =>
  (suffix: string, text: (value: number) => string) =>
  (row: string): string =>
    shown(metrics[`${prefix}${row}${suffix}`], text)

/** What the first group of a pattern matches in the names of metrics, in their order. */
export const caught = (metrics: Metrics, pattern: RegExp): string[] =>
  Object.keys(metrics).flatMap((name) => pattern.exec(name)?.[1] ?? [])

/** The same for lengths: each once, in ascending order. */
export const lengthsOf = (metrics: Metrics, pattern: RegExp): string[] =>
  [...new Set(caught(metrics, pattern))].sort((a, b) => Number(a) - Number(b))

export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`
