import { significant, spreadText, timesText } from '../harness/lines.ts'
import { codeText, markdownTable } from '../page/markdown.ts'
import { type BenchRecord, peerText } from './record.ts'

/** What must be equal in the two records of a comparison. */
const COMMON = ['command', 'cpu', 'runtime'] as const satisfies readonly (keyof BenchRecord)[]

/** `noise`: the intervals value · (1 ± spread) of before and after overlap. `unknown`: one of them has no
 *  spread. */
export type Change = 'same' | 'higher' | 'lower' | 'noise' | 'unknown'

interface Figure {
  readonly value: number
  readonly spread: number | undefined
}

/** Tells a difference from noise. */
export function changeOf(before: Figure, after: Figure): Change {
  if (before.value === after.value) return 'same'
  if (before.spread === undefined || after.spread === undefined) return 'unknown'
  const reach = Math.abs(before.value) * before.spread + Math.abs(after.value) * after.spread
  if (Math.abs(after.value - before.value) <= reach) return 'noise'
  return after.value > before.value ? 'higher' : 'lower'
}

/** Compares two records of the same benches. Returns a Markdown table for a pull request: every metric that
 *  both have, then the names of metrics that one of them lacks. Throws an Error if commands or machines
 *  differ, or if no metric is in both. */
export function compareRecords(before: BenchRecord, after: BenchRecord): string {
  for (const field of COMMON)
    if (before[field] !== after[field])
      throw new Error(
        `bench: files to compare must have one ${field}, got ${before[field]} and ${after[field]}; measure both again, one after the other`,
      )
  const common = Object.keys(after.metrics).filter((name) => Object.hasOwn(before.metrics, name))
  if (common.length === 0) throw new Error('bench: files to compare must have a metric in common, got none')
  const rows = common.map((name) => {
    const [old, now] = [figureOf(before, name), figureOf(after, name)]
    return [
      codeText(name),
      figureText(old),
      figureText(now),
      timesText(now.value / old.value),
      changeOf(old, now),
    ]
  })
  const table = markdownTable(['metric', 'before', 'after', 'after / before', 'change'], rows)
  const commits = `before: ${before.commit.slice(0, 9)}, after: ${after.commit.slice(0, 9)}`
  return [
    table,
    `${codeText(after.command)} on ${after.cpu}, ${after.runtime}; ${commits}${dirtyText(after)}.\n`,
    'noise: before and after overlap within their spreads (±). unknown: no spread was recorded.\n',
    ...missingText('before', after, before),
    ...missingText('after', before, after),
    ...peersText(before, after),
  ].join('\n')
}

const figureOf = ({ metrics, spread }: BenchRecord, name: string): Figure => ({
  value: metrics[name],
  spread: spread[name],
})

const figureText = ({ value, spread }: Figure): string => significant(value) + spreadText(spread)

/** The metrics that one record has and the other lacks. */
function missingText(where: string, has: BenchRecord, lacks: BenchRecord): string[] {
  const names = Object.keys(has.metrics).filter((name) => !Object.hasOwn(lacks.metrics, name))
  return names.length === 0 ? [] : [`Missing ${where}: ${names.map(codeText).join(', ')}.\n`]
}

/** Peers whose version or environment changed. A new ratio may come from the peer. */
function peersText(before: BenchRecord, after: BenchRecord): string[] {
  const told = ({ peers }: BenchRecord, name: string) =>
    Object.hasOwn(peers, name) ? peers[name] : { version: 'not recorded', environment: {} }
  const names = [...new Set([before, after].flatMap(({ peers }) => Object.keys(peers)))]
  return names
    .map((name) => [told(before, name), told(after, name)])
    .filter(([old, now]) => peerText(old) !== peerText(now))
    .map(([old, now]) => `Another peer: ${peerText(old)} before, ${peerText(now)} after.\n`)
}

const dirtyText = ({ commit }: BenchRecord): string =>
  commit.endsWith('-dirty') ? ' with changes that are not committed' : ''
