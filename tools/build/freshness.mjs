// Tells whether the build is up to date, in a few hundredths of a second, from the times and sizes of files
// alone. turbo hashes their contents, so it runs only if a time or a size has changed.
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Everything that a build reads or writes lies in these folders. */
const FOLDERS = ['packages', 'apps', 'tools/build']
const FILES = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'turbo.json', 'tsconfig.base.json']
const OUTPUTS = new Set(['dist', 'generated'])
const SKIPPED = new Set(['node_modules', '.turbo'])

/** Two hashes of names, sizes and times: one of the files that the build reads, one of those that it has
 *  written. The time of the inode is among them. It tells a file that was changed and then given its old
 *  time. */
function fingerprint(root) {
  const inputs = createHash('sha256')
  const outputs = createHash('sha256')
  const note = (path, hash) => {
    const { size, mtimeMs, ctimeMs, ino } = lstatSync(join(root, path))
    hash.update(`${path} ${size} ${mtimeMs} ${ctimeMs} ${ino}\n`)
  }
  const walk = (folder, hash) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (SKIPPED.has(entry.name)) continue
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) walk(path, OUTPUTS.has(entry.name) ? outputs : hash)
      else note(path, hash)
    }
  }
  for (const folder of FOLDERS) walk(folder, inputs)
  for (const file of FILES) note(file, inputs)
  return { inputs: inputs.digest('hex'), outputs: outputs.digest('hex') }
}

/** Runs `build` unless nothing has changed since its last success. A file that changes during the build is
 *  noticed the next time. */
export function buildIfStale(root, build) {
  const record = join(root, 'node_modules/.cache/tau/build.json')
  const before = fingerprint(root)
  if (read(record) === JSON.stringify(before)) return
  build()
  mkdirSync(dirname(record), { recursive: true })
  writeFileSync(record, JSON.stringify({ inputs: before.inputs, outputs: fingerprint(root).outputs }))
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
