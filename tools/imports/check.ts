// Finds files that import each other by value, below the src of every package and app. The order in which
// such modules run depends on which of them is imported first. Circles of types are harmless and allowed.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { circles, importsBelow } from './graph.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders = ['packages', 'apps']
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name, 'src')))
  .filter((folder) => existsSync(join(root, folder)))
const found = folders.flatMap((folder) =>
  circles(importsBelow(join(root, folder))).map((files) => `${folder}: ${files.join(', ')}`),
)
if (found.length > 0) {
  console.error(
    `imports: files must not import each other by value, got:\n${found.join('\n')}\nMove what they share to a file of its own.`,
  )
  process.exitCode = 1
} else console.log(`imports: no circle by value in ${folders.length} folders`)
