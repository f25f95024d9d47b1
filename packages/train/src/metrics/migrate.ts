import type { HeadsRecord, HeadValues, MetricsRecord } from './records.ts'

/** Converts a record of an older file to the present names. */
export const migrateRecord = (record: MetricsRecord): MetricsRecord =>
  record.kind === 'heads' ? { ...record, layers: record.layers.map(migrateHeads) } : record

/** Older files say `clockRate` instead of `decayRate`. */
function migrateHeads({ clockRate, ...values }: HeadValues): HeadsRecord['layers'][number] {
  return clockRate === undefined ? values : { ...values, decayRate: clockRate }
}
