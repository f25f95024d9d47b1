// Finds files that import each other, below the src of every package and app. The order in which modules run
// that import values of each other depends on which of them is imported first. Files that name each other's
// types cannot be read one after the other. Only a table and its entries may do that.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { allImports, circles, type ImportGraph, importsBelow, valueImports } from './graph.ts'

/** Tables of types, whose entries may name them in turn: the kernels of a package; a device and what it is made
 *  of; the engines. */
const TABLES = ['generated/table.ts', 'device.ts', 'backends/engine.ts']

const withoutTables = (graph: ImportGraph): ImportGraph =>
  new Map(Array.from(graph, ([file, targets]) => [file, TABLES.includes(file) ? [] : targets]))

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders = ['packages', 'apps']
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name, 'src')))
  .filter((folder) => existsSync(join(root, folder)))

function check(rule: string, circlesOf: (folder: string) => string[][]): void {
  const found = folders.flatMap((folder) =>
    circlesOf(join(root, folder)).map((files) => `${folder}: ${files.join(', ')}`),
  )
  if (found.length === 0) return
  console.error(`imports: ${rule}, got:\n${found.join('\n')}\nMove what they share to a file of its own.`)
  process.exitCode = 1
}

check('files must not import each other by value', (folder) => circles(importsBelow(folder, valueImports)))
check('files must not import types of each other', (folder) =>
  circles(withoutTables(importsBelow(folder, allImports))),
)
if (process.exitCode === undefined) console.log(`imports: no circle in ${folders.length} folders`)
