import { type FilePlace, fileAt, fileExists, pathOf, readFileBytes, type StoredFile } from '@tau/tensor/files'
import { migrateRecord } from './migrate.ts'
import type { MetricsRecord } from './records.ts'

/** Appends records to a metrics.jsonl, one line each. Every call hands its line to the operating system. So a
 *  killed process loses at most the line that it was writing. */
export class MetricsFile {
  readonly #file: StoredFile

  constructor(file: FilePlace) {
    this.#file = fileAt(file)
  }

  async append(record: MetricsRecord): Promise<void> {
    const { store, name } = this.#file
    await store.append(name, `${JSON.stringify(record)}\n`)
  }

  /** Prepares the file for a run that continues from `step`. It drops the records of later steps, because the
   *  run does these steps again. It also drops a line that a killed run left unfinished. `end` records up to
   *  `step` stay, because their seconds count in the total time. A `step` of −1 drops all records. A missing
   *  file is created. */
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

/** Reads a metrics.jsonl. A last line without a line break is dropped, because the process was killed while
 *  it wrote that line. Any other line that is not a record throws an error with its line number. */
export async function readMetrics(file: FilePlace): Promise<MetricsRecord[]> {
  const text = new TextDecoder().decode(await readFileBytes(file, 'metrics'))
  const lines = text.split('\n')
  lines.pop() // '' after the last line break, or a line that was cut off
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
