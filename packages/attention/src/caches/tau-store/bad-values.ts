import { shapeText } from '@tau/tensor'
import { REPORT_WORDS, Report, ReportKind, type TreeSizes } from '../../kernels/tau-cache/layout.ts'

/** A view of the same memory as f32. */
export const floatsOf = (words: Int32Array): Float32Array =>
  new Float32Array(words.buffer, words.byteOffset, words.length)

export const notFinite = (op: string, name: string, value: number, at: readonly number[]): RangeError =>
  new RangeError(`${op}: ${name} must be finite, got ${value} at ${shapeText(at)}; check how it is computed`)

/** Throws RangeError if new positions hold values that cannot be stored. It reports the first one of the
 *  first kv head that has any. */
export function checkReports(reports: Int32Array, { batch, heads, kvHeads, values }: TreeSizes): void {
  const op = 'TauCache.append'
  for (let row = 0; row < batch * kvHeads; row++) {
    const report = reports.subarray(row * REPORT_WORDS, (row + 1) * REPORT_WORDS)
    const kind = report[Report.kind]
    if (kind === 0) continue
    const float = (word: number) => new Float64Array(report.buffer, report.byteOffset + 4 * word, 1)[0]
    const ofDecay = kind === ReportKind.reading || kind === ReportKind.backward
    const perBatch = ofDecay ? heads : kvHeads
    const [head, position] = [report[Report.row], report[Report.position]]
    const at = [Math.floor(head / perBatch), head % perBatch, position]
    const value = float(Report.value)
    if (kind === ReportKind.key) throw notFinite(op, 'lambdaK', value, at)
    if (kind === ReportKind.reading) throw notFinite(op, 'logDecay', value, at)
    if (kind === ReportKind.backward)
      throw new RangeError(
        `${op}: logDecay must never decrease, got ${value} after ${float(Report.before)} at ${shapeText(at)}; give readings that continue the last ones`,
      )
    const element = [...at, report[Report.element]]
    if (!Number.isFinite(value)) throw notFinite(op, 'v', value, element)
    throw new RangeError(
      `${op}: v must lie within ±65504 for values '${values}', got ${value} at ${shapeText(element)}; use values 'f32'`,
    )
  }
}
