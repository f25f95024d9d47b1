import type { BenchRecord, Metrics, PeerNote, Peers } from './record.ts'

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
