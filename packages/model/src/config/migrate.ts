import type { Values } from './check.ts'

// Converts fields of older files to their present names and values. No other file knows the old names.

/** Version of the fields in config.json. Files without a version have version 1. */
export const FORMAT = 2

const DECAYS: ReadonlyMap<unknown, string> = new Map([
  ['none', 'none'],
  ['steady', 'constant'],
  ['gate', 'forget-gate'],
])
const SHIFTS: ReadonlyMap<unknown, string> = new Map([
  [true, 'half'],
  [false, 'none'],
])

/** Fields of version 1 by their old name, each with its present name and its changed values. */
const RENAMED: ReadonlyMap<
  string,
  { readonly name: string; readonly values?: ReadonlyMap<unknown, string> }
> = new Map([
  ['clock', { name: 'decay', values: DECAYS }],
  ['gamma', { name: 'decayRate' }],
  ['learnGamma', { name: 'learnDecayRate' }],
  ['keyShift', { name: 'tokenShift', values: SHIFTS }],
])

/** Converts fields of a model, of any version, to the present version. Names are those of the configuration,
 *  as in run.yaml; config.json writes them with underscores. Present fields stay as they are. If a field has
 *  both names, the new one counts. */
export function migrateModelFields(fields: Values): Record<string, unknown> {
  const entries = Object.entries(fields)
  const renamed = entries.flatMap(([old, value]) => {
    const now = RENAMED.get(old)
    return now ? [[now.name, now.values?.get(value) ?? value] as const] : []
  })
  return Object.fromEntries([...renamed, ...entries.filter(([name]) => !RENAMED.has(name))])
}
