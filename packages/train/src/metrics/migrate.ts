import type { HeadsRecord, HeadValues, MetricsRecord } from './records.ts'

/** A record as files of before have it, in the words of now. */
export const migrateRecord = (record: MetricsRecord): MetricsRecord =>
  record.kind === 'heads' ? { ...record, layers: record.layers.map(migrateHeads) } : record

/** `clockRate` became `decayRate`. */
function migrateHeads({ clockRate, ...values }: HeadValues): HeadsRecord['layers'][number] {
  return clockRate === undefined ? values : { ...values, decayRate: clockRate }
}
