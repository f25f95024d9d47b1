import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { Absent } from '../peers/peer.ts'
import type { GroupContext } from '../registry.ts'

/** Packages that are too large to come with the workspace. Their folder has a package.json and a package-lock.json of its own, and they are
 *  installed into it. */
export interface OnDemand {
  /** Absolute path, without a slash at its end. */
  readonly folder: string
  /** What is brought, with its size: `onnxruntime-node, 291 MB`. */
  readonly what: string
}

/** The packages come without install scripts and without the libraries that they are made for. Offline, a retry would only take longer. */
const OPTIONS = ['--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0']

/** The folder of the installed packages. They are installed only when the bench runs with `--install`. Absent without it, and where npm or
 *  its registry is not reached. */
export function installed(
  { folder, what }: OnDemand,
  { install, line }: Pick<GroupContext, 'install' | 'line'>,
): { readonly modules: string } | Absent {
  const modules = `${folder}/node_modules`
  if (isUpToDate(folder)) return { modules }
  if (!install) return { absent: `${what}, is not installed; run the bench with --install` }
  line(`installing ${what}, into ${modules}`)
  const { status, stderr, error } = spawnSync('npm', ['ci', '--loglevel=error', ...OPTIONS], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  return status === 0 ? { modules } : { absent: `npm ci in ${folder}: ${error?.message ?? reasonIn(stderr)}` }
}

/** Whether what is installed has the versions of the lock file. npm writes the list of what it installed last. */
export function isUpToDate(folder: string): boolean {
  const done = `${folder}/node_modules/.package-lock.json`
  if (!existsSync(done)) return false
  const found = versionsIn(done)
  return Object.entries(versionsIn(`${folder}/package-lock.json`)).every(
    ([path, version]) => path === '' || found[path] === version,
  )
}

function versionsIn(lock: string): Record<string, string | undefined> {
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as {
    packages: Readonly<Record<string, { readonly version?: string }>>
  }
  return Object.fromEntries(Object.entries(packages).map(([path, { version }]) => [path, version]))
}

/** The line of npm's errors that says why; the first names no more than a code. */
export function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm error (network )?/, ''))
  return lines.find((line) => line.includes('reason:')) ?? lines[0]
}
