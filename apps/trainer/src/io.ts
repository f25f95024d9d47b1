import type { ProgressStream } from './progress.ts'

/** What a command talks to: results go to `stdout`, everything else to `stderr`. */
export interface Io {
  readonly stdout: ProgressStream
  readonly stderr: ProgressStream
  /** Aborted by Ctrl-C: finish the step, save, and end with code 130. */
  readonly signal: AbortSignal
}

/** Commands return their exit code. */
export const EXIT = { ok: 0, error: 1, usage: 2, interrupted: 130 } as const

export const say = ({ stderr }: Io, text: string): void => {
  stderr.write(`${text}\n`)
}

export const print = ({ stdout }: Io, text: string): void => {
  stdout.write(`${text}\n`)
}

/** Rows of name and value, values aligned. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows
    .map(([name, value]) => `${name.padEnd(width)}  ${value.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`)
    .join('\n')
}

/** Rows of cells, the header among them, under each other: the first `left` columns begin at one place, the others end at one. */
export function columns(rows: readonly (readonly string[])[], left: number): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i < left ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
