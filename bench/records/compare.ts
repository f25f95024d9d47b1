import { significant, timesText } from '../harness/lines.ts'
import { codeText, markdownTable } from '../page/markdown.ts'
import type { BenchRecord } from './record.ts'

/** What must be the same for two records to be before and after of one change. */
const COMMON = ['command', 'cpu', 'runtime'] as const satisfies readonly (keyof BenchRecord)[]

/** Two measurements of the same benches as a table for a pull request: every metric that both have, in Markdown. Throws an Error where they
 *  were measured by different commands or machines, or have nothing in common. */
export function compareRecords(before: BenchRecord, after: BenchRecord): string {
  for (const field of COMMON)
    if (before[field] !== after[field])
      throw new Error(
        `bench: files to compare must have one ${field}, got ${before[field]} and ${after[field]}; measure both again, one after the other`,
      )
  const rows = Object.entries(after.metrics).flatMap(([name, value]) => {
    const old = before.metrics[name]
    return old === undefined
      ? []
      : [[codeText(name), significant(old), significant(value), timesText(value / old)]]
  })
  if (rows.length === 0) throw new Error('bench: files to compare must have a metric in common, got none')
  const table = markdownTable(['metric', 'before', 'after', 'after / before'], rows)
  const commits = `before: ${before.commit.slice(0, 9)}, after: ${after.commit.slice(0, 9)}`
  return `${table}\n${codeText(after.command)} on ${after.cpu}, ${after.runtime}; ${commits}${dirtyText(after)}.\n`
}

const dirtyText = ({ commit }: BenchRecord): string =>
  commit.endsWith('-dirty') ? ' with changes that are not committed' : ''
