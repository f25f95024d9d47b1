// Whether the build still is that of the sources: looks at the files' times and sizes alone, in a few hundredths of a second. turbo, which
// hashes their contents, is asked only when something here has changed.
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Everything that a build reads or writes lies under these. */
const FOLDERS = ['packages', 'apps', 'tools/build']
const FILES = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'turbo.json', 'tsconfig.base.json']
const OUTPUTS = new Set(['dist', 'generated'])
const SKIPPED = new Set(['node_modules', '.turbo'])

/** Hashes of name, size and times of all that the build reads, and of all that it has written. The time of the inode is among them:
 *  a file that was changed and given its old time back has another. */
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

/** Runs `build` unless nothing has changed since its last success. What changes while it runs is noticed the next time. */
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
