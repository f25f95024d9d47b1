import { globSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The `benches` that every matching file of the tree exports, if their names contain `filter`. Benches lie
 *  beside what they measure. The caller knows what kind of benches a pattern finds. */
export async function collect<Bench extends { readonly name: string }>(
  pattern: string,
  filter: string,
): Promise<Bench[]> {
  const files = globSync(pattern, { cwd: root }).sort()
  if (files.length === 0) throw new Error(`bench: some file must match ${pattern}, got none`)
  const lists = await Promise.all(
    files.map(async (file) => {
      const { benches } = (await import(pathToFileURL(root + file).href)) as { benches?: readonly Bench[] }
      if (!benches) throw new Error(`bench: a bench file must export benches, got ${file} without`)
      return benches
    }),
  )
  return lists.flat().filter(({ name }) => name.includes(filter))
}
