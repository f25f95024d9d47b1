import { readFileBytes, writeFileAtomic } from '@tau/tensor'
import type { MetricsRecord } from './records.ts'

/** Appends records to a metrics.jsonl, one line each, handed to the system with every call: a killed process loses at most
 *  the line it was writing. */
export class MetricsFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  async append(record: MetricsRecord): Promise<void> {
    const { appendFile } = process.getBuiltinModule('node:fs/promises')
    await appendFile(this.path, `${JSON.stringify(record)}\n`)
  }

  /** Prepares the file for a run that goes on from `step`: drops the records of later steps, which the run does again, and a line
   *  that a killed run left unfinished. Ends until then stay: their seconds are part of the whole. −1 drops all. A missing file
   *  is made. */
  async rewindTo(step: number): Promise<void> {
    const { access } = process.getBuiltinModule('node:fs/promises')
    const exists = await access(this.path).then(
      () => true,
      () => false,
    )
    const records = exists ? await readMetrics(this.path) : []
    const kept = records.filter((record) => record.step <= step)
    await writeFileAtomic(this.path, kept.map((record) => `${JSON.stringify(record)}\n`).join(''))
  }
}

const KINDS: readonly string[] = [
  'run',
  'step',
  'eval',
  'heads',
  'sample',
  'end',
] satisfies MetricsRecord['kind'][]

const isRecord = (value: unknown): value is MetricsRecord =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  KINDS.includes(String(value.kind)) &&
  'step' in value &&
  typeof value.step === 'number'

/** Reads a metrics.jsonl. A last line without its end is dropped (the process was killed while writing it); any other line
 *  that is not a record is an error with its number. */
export async function readMetrics(path: string): Promise<MetricsRecord[]> {
  const text = new TextDecoder().decode(await readFileBytes(path, 'metrics'))
  const lines = text.split('\n')
  lines.pop() // '' after the last newline, or a line that was cut off
  return lines.map((line, i) => {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      value = undefined
    }
    if (!isRecord(value))
      throw new Error(
        `metrics: line ${i + 1} of ${path} must be a record, got ${line.slice(0, 60)}; remove the line`,
      )
    return value
  })
}
