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

/** By the name that stands for a peer in names of metrics: `torch` in `train/tau-30m/T1024/ratio_vs_torch`. */
export type Peers = Readonly<Record<string, PeerNote>>

/** What a run has measured. */
export interface Measurements {
  readonly metrics: Metrics
  /** Of a metric: half the distance of the quartiles of its samples, relative to their median. A metric without samples has none. */
  readonly spread: Metrics
  readonly peers: Peers
  /** What could not be measured, and why. */
  readonly skipped: Readonly<Record<string, string>>
  /** The GPU, where a group ran on one. */
  readonly adapter?: string
}

/** What was measured, by what, and on what: what `--json` writes. Names of metrics end in their unit: gflops and gb_per_s are 10⁹ a
 *  second, ms is milliseconds; ratios, spreads and scalings are pure numbers. */
export interface BenchRecord extends Measurements {
  /** As of git; with -dirty where files differed from it. */
  readonly commit: string
  /** What measures it again. */
  readonly command: string
  /** When it ended, ISO 8601. */
  readonly date: string
  readonly cpu: string
  readonly memoryBytes: number
  readonly os: string
  readonly runtime: string
  readonly threads: number
}

/** What the benches themselves write: another group's results do not make the code a different one. */
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

/** A record of here and now. */
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
  /** Records of before had no spread and no peers. */
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

/** What was measured on one adapter; or, without one, what no GPU has a part in. */
export type Figures = Pick<BenchRecord, 'adapter' | 'metrics' | 'spread' | 'peers'>

/** The adapter of a figure: a run of all groups has figures of others too. */
const adapterOf = (name: string, { adapter }: BenchRecord): string | undefined =>
  name.startsWith('gpu/') ? adapter : undefined

/** The figures of several records, a set for each adapter. No figure may be twice in a set: which of them counts would be a choice. */
export function figuresOf(records: readonly BenchRecord[]): Figures[] {
  const adapters = new Set(
    records.flatMap((record) => Object.keys(record.metrics).map((name) => adapterOf(name, record))),
  )
  return Array.from(adapters, (adapter) => {
    const of = (record: BenchRecord, values: Metrics): Metrics =>
      Object.fromEntries(Object.entries(values).filter(([name]) => adapterOf(name, record) === adapter))
    const parts = records.map((record) => ({
      record,
      metrics: of(record, record.metrics),
      spread: of(record, record.spread),
    }))
    expectOnce(parts, adapter)
    return {
      metrics: Object.assign({}, ...parts.map(({ metrics }) => metrics)),
      spread: Object.assign({}, ...parts.map(({ spread }) => spread)),
      peers: mergedPeers(parts.filter(({ metrics }) => !isEmpty(metrics)).map(({ record }) => record)),
      ...(adapter !== undefined && { adapter }),
    }
  })
}

const isEmpty = (entries: object): boolean => Object.keys(entries).length === 0

function expectOnce(
  parts: readonly { readonly record: BenchRecord; readonly metrics: Metrics }[],
  adapter: string | undefined,
): void {
  const names = parts.flatMap(({ metrics }) => Object.keys(metrics))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return
  throw new Error(
    `bench: a metric must be in one file only, got ${twice} in two${adapter === undefined ? '' : ` of ${adapter}`}; leave one of them out, both were made by:\n${parts
      .filter(({ metrics }) => Object.hasOwn(metrics, twice))
      .map(({ record: { command, date } }) => `  ${command} (${date})`)
      .join('\n')}`,
  )
}

/** The peers of several records. One that has two versions in them is told with both. */
function mergedPeers(records: readonly BenchRecord[]): Peers {
  const merged: Record<string, PeerNote> = {}
  for (const [name, note] of records.flatMap(({ peers }) => Object.entries(peers))) {
    const before = merged[name]?.version ?? note.version
    const version = before === note.version ? before : `${before} or ${note.version}`
    merged[name] = { ...note, version }
  }
  return merged
}

/** The peer that a metric is of or compares with: the one whose name is a part of the metric's. */
export function peerOf(metric: string, peers: Peers): PeerNote | undefined {
  const name = Object.keys(peers).find((each) => new RegExp(`(^|[/_-])${each}([/_-]|$)`).test(metric))
  return name === undefined ? undefined : peers[name]
}

/** `numpy 1.24.2 with MALLOC_TOP_PAD_=200000000` */
export function peerText({ version, environment }: PeerNote): string {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  return variables.length === 0 ? version : `${version} with ${variables.join(' ')}`
}
