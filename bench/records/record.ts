import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, machine, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

export type Metrics = Readonly<Record<string, number>>

/** What was measured, by what, and on what: what `--json` writes. Names of metrics end in their unit: gflops and gb_per_s are 10⁹ a
 *  second, ms is milliseconds; ratios, spreads and scalings are pure numbers. */
export interface BenchRecord {
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
  /** The GPU, where a group ran on one. */
  readonly adapter?: string
  readonly metrics: Metrics
  /** What could not be measured, and why. */
  readonly skipped: Readonly<Record<string, string>>
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
export const recordOf = (
  command: string,
  metrics: Metrics,
  skipped: Readonly<Record<string, string>>,
  adapter?: string,
): BenchRecord => ({
  commit: commit(),
  command,
  date: new Date().toISOString(),
  cpu: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`,
  memoryBytes: totalmem(),
  os: `${type()} ${release()} ${machine()}`,
  runtime: `node ${process.versions.node}, V8 ${process.versions.v8}`,
  threads: availableParallelism(),
  ...(adapter !== undefined && { adapter }),
  metrics,
  skipped,
})

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isAmount = (value: unknown): value is number => Number.isFinite(value) && Number(value) > 0
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

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
  const isFigure = (value: unknown): value is number => Number.isFinite(value)
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
    skipped: fields('skipped', 'a text', isText),
  }
}

/** What was measured on one adapter; or, without one, what no GPU has a part in. */
export type Figures = Pick<BenchRecord, 'adapter' | 'metrics'>

/** The adapter of a figure: a run of all groups has figures of others too. */
const adapterOf = (name: string, { adapter }: BenchRecord): string | undefined =>
  name.startsWith('gpu/') ? adapter : undefined

/** The figures of several records, a set for each adapter. No figure may be twice in a set: which of them counts would be a choice. */
export function figuresOf(records: readonly BenchRecord[]): Figures[] {
  const sets = new Map<string | undefined, Record<string, number>>()
  for (const record of records)
    for (const [name, value] of Object.entries(record.metrics)) {
      const adapter = adapterOf(name, record)
      const metrics = sets.get(adapter) ?? {}
      sets.set(adapter, metrics)
      if (Object.hasOwn(metrics, name))
        throw new Error(
          `bench: a metric must be in one file only, got ${name} in two${adapter === undefined ? '' : ` of ${adapter}`}; leave one of them out, both were made by:\n${records
            .filter((each) => Object.hasOwn(each.metrics, name) && adapterOf(name, each) === adapter)
            .map(({ command, date }) => `  ${command} (${date})`)
            .join('\n')}`,
        )
      metrics[name] = value
    }
  return Array.from(sets, ([adapter, metrics]) => ({ metrics, ...(adapter !== undefined && { adapter }) }))
}
