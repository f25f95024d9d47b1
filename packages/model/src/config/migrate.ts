import type { Values } from './check.ts'

// Fields of the model as files of before have them, in the words of now. Nothing else knows the old words.

/** Version of the fields in config.json. Files without a version are of version 1. */
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

/** Fields of version 1 by their names of then: the name of now, and the values that changed with it. */
const RENAMED: ReadonlyMap<
  string,
  { readonly name: string; readonly values?: ReadonlyMap<unknown, string> }
> = new Map([
  ['clock', { name: 'decay', values: DECAYS }],
  ['gamma', { name: 'decayRate' }],
  ['learnGamma', { name: 'learnDecayRate' }],
  ['keyShift', { name: 'tokenShift', values: SHIFTS }],
])

/** The fields of a model, or some of them, of any version → of the present one. Names are those of the configuration, as in run.yaml;
 *  config.json has them with underscores. Fields of now stay as they are; if a field is there by both names, the new one counts. */
export function migrateModelFields(fields: Values): Record<string, unknown> {
  const entries = Object.entries(fields)
  const renamed = entries.flatMap(([old, value]) => {
    const now = RENAMED.get(old)
    return now ? [[now.name, now.values?.get(value) ?? value] as const] : []
  })
  return Object.fromEntries([...renamed, ...entries.filter(([name]) => !RENAMED.has(name))])
}
