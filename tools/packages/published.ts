import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly devDependencies: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, { readonly types?: string }>>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** A published package: its folder below packages/, its name, its path, and the entries that programs
 *  import. */
export interface Published {
  readonly folder: string
  readonly name: string
  readonly path: string
  /** `@tau/tensor`, `@tau/tensor/files`, … */
  readonly entries: readonly string[]
}

export const published: readonly Published[] = readdirSync(join(root, 'packages'))
  .map((folder) => ({ folder, path: join(root, 'packages', folder) }))
  .filter(({ path }) => existsSync(join(path, 'package.json')) && !readManifest(path).private)
  .map(({ folder, path }) => {
    const { name, exports } = readManifest(path)
    const entries = Object.entries(exports).filter(([, { types }]) => types !== undefined)
    return { folder, path, name, entries: entries.map(([entry]) => name + entry.slice(1)) }
  })

/** The version of a development tool that package.json pins. */
export function pinned(tool: string): string {
  const version = readManifest(root).devDependencies[tool]
  if (version === undefined)
    throw new Error(`check: package.json must pin ${tool} among its devDependencies, got none`)
  return version
}

/** The first ```ts block of a package's README. */
export function readmeExample({ folder, path }: Published): string {
  const readme = join(path, 'README.md')
  const block = existsSync(readme) ? /```ts\n([\s\S]*?)```/.exec(readFileSync(readme, 'utf8')) : null
  if (!block) throw new Error(`check: packages/${folder}/README.md must hold a \`\`\`ts example, got none`)
  return block[1]
}
