import type { ProgressStream } from './progress.ts'

/** Streams and signal of a command. Results go to `stdout`, everything else to `stderr`. */
export interface Io {
  readonly stdout: ProgressStream
  readonly stderr: ProgressStream
  /** Ctrl-C aborts it. The command then finishes its step, saves, and ends with code 130. */
  readonly signal: AbortSignal
}

/** Exit codes, which commands return. */
export const EXIT = { ok: 0, error: 1, usage: 2, interrupted: 130 } as const

export const say = ({ stderr }: Io, text: string): void => {
  stderr.write(`${text}\n`)
}

export const print = ({ stdout }: Io, text: string): void => {
  stdout.write(`${text}\n`)
}

/** Formats rows of name and value. Values are aligned. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows
    .map(([name, value]) => `${name.padEnd(width)}  ${value.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`)
    .join('\n')
}

/** Formats rows of cells as a table; the first row is the header. The first `left` columns are aligned left,
 *  the others right. */
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
