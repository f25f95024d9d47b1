// The root commands on a bare machine. They need only Node 20 and npm. If something changed, the pinned pnpm
// installs and builds. The command itself runs on the pinned Node 24: the package `node` puts it into
// node_modules/.bin, beside every other program of the workspace.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildIfStale } from './build/freshness.mjs'
import { softwareGpu } from './software-gpu.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { packageManager, devDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const [task, ...args] = process.argv.slice(2)
const path = process.env.PATH ?? ''
// The user's relative paths start here. npx overwrites npm's INIT_CWD, so another variable keeps it.
process.env.TAU_CWD ??= process.env.INIT_CWD ?? process.cwd()
Object.assign(process.env, softwareGpu(process.env))

// Ctrl-C reaches every process of the terminal. The command decides what it means; we wait for the command.
process.on('SIGINT', () => {})

/** Runs a program. If the program fails, this process ends with its status. `stdout` says where its output
 *  goes; default: to our own. */
function run(program, programArgs, stdout = 'inherit') {
  const result = spawnSync(program, programArgs, {
    cwd: root,
    stdio: ['inherit', stdout, stdout === 'pipe' ? 'pipe' : 'inherit'],
    shell: process.platform === 'win32',
  })
  if (result.status === 0) return
  for (const output of [result.error?.message, result.stdout, result.stderr])
    if (output) process.stderr.write(output)
  process.exit(result.status ?? (result.signal === 'SIGINT' ? 130 : 1))
}
/** npx takes half a second to find pnpm, so only tasks that need pnpm start it. */
const pnpm = (pnpmArgs, stdout) => run('npx', ['-y', packageManager, ...pnpmArgs], stdout)
const bin = `${root}node_modules/.bin`
/** Runs a program of node_modules/.bin with the Node of that folder. */
function exec(program, ...programArgs) {
  process.env.PATH = `${bin}${delimiter}${path}`
  run(`${bin}/${program}`, programArgs)
}

/** pnpm checks `engines` against the pinned Node, which runs the packages. The machine's own Node only runs
 *  pnpm. */
function install() {
  const marker = `${root}node_modules/.modules.yaml`
  const fresh = existsSync(marker) && statSync(marker).mtimeMs >= statSync(`${root}pnpm-lock.yaml`).mtimeMs
  if (!fresh)
    pnpm(['install', '--frozen-lockfile', `--config.node-version=${devDependencies.node}`], process.stderr)
}
/** Prints nothing unless it fails, because results on stdout (`--json`) must stay readable by a machine. */
function build() {
  buildIfStale(root, () => {
    if (!existsSync(`${root}apps/trainer/dist/cli.js`)) console.error('building the packages, once…')
    pnpm(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only', '--log-order=grouped'], 'pipe')
  })
}
// Workspace packages resolve to their sources here, so benches and conformance measure what is in the tree.
const script = (path) => exec('node', '--conditions=source', path, ...args)
const tau = (...tauArgs) => exec('node', 'apps/trainer/dist/cli.js', ...tauArgs)

/** What each root command runs after the build. turbo and the package checks start pnpm themselves, and they
 *  find it only if pnpm has started them. */
const tasks = {
  build: () => {},
  wasm: () => pnpm(['exec', 'turbo', 'run', 'wasm', 'tables', '--output-logs=errors-only']),
  demo: () => tau('demo', ...args),
  tau: () => tau(...args),
  studio: () => pnpm(['--dir', 'apps/studio', 'exec', 'vite', ...args]),
  test: () => exec('vitest', 'run', ...args),
  'test:slow': () => exec('vitest', 'run', '--config', 'vitest.slow.config.ts', ...args),
  bench: () => script('bench/run.ts'),
  conformance: () => script('tools/conformance/run.ts'),
  check: () => {
    exec('biome', 'ci', '--error-on-warnings', '.')
    exec('tsc', '-p', 'tsconfig.json', '--noEmit')
    exec('knip')
    exec('node', 'tools/imports/check.ts')
    pnpm(['exec', 'node', 'tools/packages/check.ts'])
  },
}

if (!(task in tasks)) {
  console.error(`bootstrap: task must be one of ${Object.keys(tasks).join(', ')}, got ${task}`)
  process.exit(2)
}
process.chdir(root)
install()
if (task !== 'wasm') build()
tasks[task]()
