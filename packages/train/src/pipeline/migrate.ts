/** Settings that older run.yaml files lack, each with the value that runs had before the setting existed. So
 *  a run without the setting continues as it began, even if the default has changed. Add a line for every new
 *  setting of a run. @tau/model migrates the fields of the model. */
const ADDED: readonly { readonly section: string; readonly key: string; readonly before: unknown }[] = [
  { section: 'train', key: 'optimizer', before: 'adamw' },
]

/** Completes the settings in the run.yaml of any older version: a missing setting gets the value that runs
 *  had then. Do not use it for a configuration that a user writes, because missing settings there take the
 *  defaults. A value that is not a section stays as it is, and the reader refuses it. */
export function migrateRunSettings(values: unknown): unknown {
  if (!isTree(values)) return values
  const migrated: Tree = { ...values }
  for (const { section, key, before } of ADDED) {
    const old = migrated[section] ?? {}
    if (isTree(old) && !(key in old)) migrated[section] = { ...old, [key]: before }
  }
  return migrated
}

type Tree = { [key: string]: unknown }

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
