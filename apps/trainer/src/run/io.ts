import type { ProgressStream } from '../progress.ts'

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
