import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, machine, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

export type Metrics = Readonly<Record<string, number>>

/** Another library that took part. */
export interface PeerNote {
  /** Its name and version. */
  readonly version: string
  /** Variables of its environment that change its speed. */
  readonly environment: Readonly<Record<string, string>>
}

/** Peers by their names in metrics: `torch` in `train/tau-30m/T1024/ratio_vs_torch`. */
export type Peers = Readonly<Record<string, PeerNote>>

/** The results of a run. */
export interface Measurements {
  readonly metrics: Metrics
  /** The spread of a metric: half the distance between the quartiles of its samples, divided by their median.
   *  A metric without samples has none. */
  readonly spread: Metrics
  readonly peers: Peers
  /** What could not be measured, and why. */
  readonly skipped: Readonly<Record<string, string>>
  /** The GPU, where a group ran on one. */
  readonly adapter?: string
}

/** A record, which `--json` writes: what was measured, by which commit and command, and on what machine.
 *  Names of metrics end in their unit. gflops and gb_per_s are 10⁹ a second, ms is milliseconds. Ratios,
 *  spreads and scalings have no unit. */
export interface BenchRecord extends Measurements {
  /** The commit, with -dirty if files differed from it. */
  readonly commit: string
  /** The command that measures it again. */
  readonly command: string
  /** When the run ended, in ISO 8601. */
  readonly date: string
  readonly cpu: string
  readonly memoryBytes: number
  readonly os: string
  readonly runtime: string
  readonly threads: number
}

/** Files that the benches themselves write. They do not change the code. */
const WRITTEN = ['bench/results', 'bench/RESULTS.md']

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim()
  const others = ['--', '.', ...WRITTEN.map((path) => `:(exclude)${path}`)]
  try {
    const changes = git('status', '--porcelain', '--untracked-files=no', ...others)
    return git('rev-parse', 'HEAD') + (changes === '' ? '' : '-dirty')
  } catch {
    return 'unknown' // not a git checkout
  }
}

/** A record of this commit, this machine and this moment. */
export const recordOf = (command: string, measurements: Measurements): BenchRecord => ({
  commit: commit(),
  command,
  date: new Date().toISOString(),
  cpu: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`,
  memoryBytes: totalmem(),
  os: `${type()} ${release()} ${machine()}`,
  runtime: `node ${process.versions.node}, V8 ${process.versions.v8}`,
  threads: availableParallelism(),
  ...measurements,
})

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isFigure = (value: unknown): value is number => Number.isFinite(value)
const isAmount = (value: unknown): value is number => Number.isFinite(value) && Number(value) > 0
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isPeerNote = (value: unknown): value is PeerNote =>
  isObject(value) &&
  isText(value.version) &&
  isObject(value.environment) &&
  Object.values(value.environment).every((each) => typeof each === 'string')

/** The record in the text of a file of `--json`; `file` is its name in errors. */
export function parseRecord(text: string, file: string): BenchRecord {
  const refuse = (rule: string, got: string): never => {
    throw new Error(`bench: ${file} must ${rule}, got ${got}; write it again with --json`)
  }
  const shown = (value: unknown) => JSON.stringify(value) ?? 'none'
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return refuse('be JSON', String(error))
  }
  if (!isObject(json)) return refuse('be an object', shown(json))
  const field = <T>(name: string, kind: string, is: (value: unknown) => value is T): T => {
    const value = json[name]
    return is(value) ? value : refuse(`have ${kind} as ${name}`, shown(value))
  }
  const fields = <T>(name: string, kind: string, is: (value: unknown) => value is T): Record<string, T> => {
    const entries = Object.entries(field(name, 'an object', isObject)).map(([key, value]): [string, T] => [
      key,
      is(value) ? value : refuse(`have ${kind} as ${key} of ${name}`, shown(value)),
    ])
    return Object.fromEntries(entries)
  }
  /** Older records have no spread and no peers. */
  const laterFields = <T>(name: string, kind: string, is: (value: unknown) => value is T) =>
    json[name] === undefined ? {} : fields(name, kind, is)
  return {
    commit: field('commit', 'a text', isText),
    command: field('command', 'a text', isText),
    date: field('date', 'a text', isText),
    cpu: field('cpu', 'a text', isText),
    memoryBytes: field('memoryBytes', 'a number above 0', isAmount),
    os: field('os', 'a text', isText),
    runtime: field('runtime', 'a text', isText),
    threads: field('threads', 'a number above 0', isAmount),
    ...(json.adapter !== undefined && { adapter: field('adapter', 'a text', isText) }),
    metrics: fields('metrics', 'a number', isFigure),
    spread: laterFields('spread', 'a number', isFigure),
    peers: laterFields('peers', 'a version and an environment', isPeerNote),
    skipped: fields('skipped', 'a text', isText),
  }
}

/** `numpy 1.24.2 with MALLOC_TOP_PAD_=200000000` */
export function peerText({ version, environment }: PeerNote): string {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  return variables.length === 0 ? version : `${version} with ${variables.join(' ')}`
}
