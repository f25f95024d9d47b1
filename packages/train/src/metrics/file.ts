import { type FilePlace, fileAt, fileExists, pathOf, readFileBytes, type StoredFile } from '@tau/tensor/files'
import { migrateRecord } from './migrate.ts'
import type { MetricsRecord } from './records.ts'

/** Appends records to a metrics.jsonl, one line each, handed to the system with every call: a killed process loses at most
 *  the line it was writing. */
export class MetricsFile {
  readonly #file: StoredFile

  constructor(file: FilePlace) {
    this.#file = fileAt(file)
  }

  async append(record: MetricsRecord): Promise<void> {
    const { store, name } = this.#file
    await store.append(name, `${JSON.stringify(record)}\n`)
  }

  /** Prepares the file for a run that goes on from `step`: drops the records of later steps, which the run does again, and a line
   *  that a killed run left unfinished. Ends until then stay: their seconds are part of the whole. −1 drops all. A missing file
   *  is made. */
  async rewindTo(step: number): Promise<void> {
    const { store, name } = this.#file
    const records = (await fileExists(this.#file)) ? await readMetrics(this.#file) : []
    const kept = records.filter((record) => record.step <= step)
    await store.write([{ name, content: kept.map((record) => `${JSON.stringify(record)}\n`).join('') }])
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
export async function readMetrics(file: FilePlace): Promise<MetricsRecord[]> {
  const text = new TextDecoder().decode(await readFileBytes(file, 'metrics'))
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
        `metrics: line ${i + 1} of ${pathOf(file)} must be a record, got ${line.slice(0, 60)}; remove the line`,
      )
    return migrateRecord(value)
  })
}
