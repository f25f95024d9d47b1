import type { BenchRecord, Metrics, PeerNote, Peers } from './record.ts'

/** The figures of one adapter, or those without a GPU. */
export type Figures = Pick<BenchRecord, 'adapter' | 'metrics' | 'spread' | 'peers'>

/** The adapter of a figure. A run of all groups also has figures without an adapter. */
const adapterOf = (name: string, { adapter }: BenchRecord): string | undefined =>
  name.startsWith('gpu/') ? adapter : undefined

/** The figures of several records, one set per adapter. A figure may be in a set only once, because nothing
 *  says which of two would count. */
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

/** The peers of several records. A peer with two versions is shown with both. */
function mergedPeers(records: readonly BenchRecord[]): Peers {
  const merged: Record<string, PeerNote> = {}
  for (const [name, note] of records.flatMap(({ peers }) => Object.entries(peers))) {
    const before = merged[name]?.version ?? note.version
    const version = before === note.version ? before : `${before} or ${note.version}`
    merged[name] = { ...note, version }
  }
  return merged
}

/** The peer of a metric: the one whose name is a part of the metric's name. */
export function peerOf(metric: string, peers: Peers): PeerNote | undefined {
  const name = Object.keys(peers).find((each) => new RegExp(`(^|[/_-])${each}([/_-]|$)`).test(metric))
  return name === undefined ? undefined : peers[name]
}
