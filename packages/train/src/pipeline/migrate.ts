/** Settings that run.yaml did not have from the beginning, with what runs did before they could be chosen. A run that lacks one goes on
 *  as it began, whatever the default is by now. Add a line with every new setting of a run. (Fields of the model: see @tau/model.) */
const ADDED: readonly { readonly section: string; readonly key: string; readonly before: unknown }[] = [
  { section: 'train', key: 'optimizer', before: 'adamw' },
]

/** The settings of a run's folder, of any version → with all that the present version knows. Not for configurations that a user
 *  writes: what those lack is left to the defaults. Values that are no sections are left for the reader to refuse. */
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
