import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { Absent } from '../peers/peer.ts'
import type { GroupContext } from '../registry.ts'

/** Packages that are too large for the workspace's own install. Their folder has its own package.json and
 *  package-lock.json, and npm installs them there. */
export interface OnDemand {
  /** Absolute path, without a slash at its end. */
  readonly folder: string
  /** What is installed, with its size: `onnxruntime-node, 291 MB`. */
  readonly what: string
}

/** npm runs no install scripts and installs no peer dependencies. It does not retry, because offline a retry
 *  only takes longer. */
const OPTIONS = ['--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0']

/** The folder of the installed packages. They are installed only if the bench runs with `--install`. Without
 *  it, or if npm or its registry cannot be reached, the result is absent. */
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

/** Whether the installed packages have the versions of the lock file. npm writes its list of them last. */
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

/** The line of npm's errors that gives the reason. The first line only has a code. */
export function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm error (network )?/, ''))
  return lines.find((line) => line.includes('reason:')) ?? lines[0]
}
