import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { claimLines, judge } from './records/claims.ts'
import { compareRecords } from './records/compare.ts'
import { type BenchRecord, type Figures, figuresOf, parseRecord, recordOf } from './records/record.ts'
import { groups, type RunGroup } from './registry.ts'

const HELP = `Usage: npm run bench -- [group …] [--filter TEXT] [--json FILE]
       npm run bench -- FILE.json … [--report DIR]
       npm run bench -- --compare BEFORE.json AFTER.json

Times kernels and models against their peers. Prints a line for each figure, then what was claimed and what came of it, and one line
of JSON at the end. Files of --json are read instead of measured: their claims are printed again. Of the group gpu there may be a file
for each adapter. graph downloads 118 MB of word vectors into bench/graph/words when it first needs them.

Groups; those without a star all run when none is named:
${Object.entries(groups)
  .map(([name, { summary, onDemand }]) => `  ${`${name}${onDemand ? ' *' : ''}`.padEnd(13)}  ${summary}`)
  .join('\n')}

  --filter TEXT  only benches whose name contains TEXT, for instance matmul/nt; default: all
  --quick        a smaller selection of kvcache, fewer rounds and models of train and decode, fewer rounds of graph
  --json FILE    also write the JSON to FILE
  --report DIR   write DIR/RESULTS.md: claims, tables and machines; its plots go to DIR/results, as SVG
  --compare      print two files as a table for a pull request: metric, before, after, ratio
  --out DIR      folder of the files and plots of kvcache and embedding; default: bench-kvcache, docs/graph
  --help         this text
`

/** npm runs scripts in the root; paths are relative to where the user called it. */
const inFolderOfUser = (path: string): string => resolve(process.env.TAU_CWD ?? '.', path)

interface Selection {
  readonly names: readonly string[]
  readonly filter: string
  readonly quick: boolean
  readonly out: string | undefined
}

async function load(name: string): Promise<RunGroup> {
  if (!Object.hasOwn(groups, name))
    throw new Error(
      `bench: group must be one of ${Object.keys(groups).join(', ')}, got "${name}"; files to read end in .json`,
    )
  return groups[name].load()
}

async function measure({ names, filter, quick, out }: Selection, command: string): Promise<BenchRecord> {
  const chosen = await Promise.all(names.map(load))
  const metrics: Record<string, number> = {}
  const metric = (name: string, value: number) => {
    if (!Number.isFinite(value))
      throw new Error(`bench: a metric must be a finite number, got ${value} for ${name}`)
    metrics[name] = Number(value.toPrecision(6))
  }
  const skipped: Record<string, string> = {}
  const skip = (what: string, reason: string) => {
    skipped[what] = reason
    console.log(`skipped: ${what}: ${reason}`)
  }
  let adapter: string | undefined
  const noteAdapter = (name: string) => {
    adapter = name
    console.log(`adapter: ${name}`)
  }
  let matched = 0
  const folder = out === undefined ? undefined : inFolderOfUser(out)
  for (const run of chosen)
    matched += await run({
      ...{ filter, quick, out: folder, metric, skip },
      line: (text) => console.log(text),
      adapter: noteAdapter,
    })
  if (matched === 0)
    throw new Error(`bench: --filter must match the name of a bench of ${names.join(', ')}, got "${filter}"`)
  const count = Object.keys(skipped).length
  if (count > 0) console.log(`skipped ${count}: ${Object.keys(skipped).join(', ')}`)
  return recordOf(command, metrics, skipped, adapter)
}

/** What was measured; and of a selection that a filter did not narrow also what was not. */
function printClaims(figures: readonly Figures[], whole: readonly string[]): void {
  const verdicts = judge(figures).filter(({ claim, got }) => got || whole.includes(claim.group))
  for (const text of claimLines(verdicts)) console.log(text)
}

/** The command that measures the same again, wherever its results are written to. */
function commandOf(names: readonly string[], filter: string, quick: boolean): string {
  const words = [
    ...names,
    ...(filter === '' ? [] : ['--filter', /^[\w./-]+$/.test(filter) ? filter : JSON.stringify(filter)]),
    ...(quick ? ['--quick'] : []),
  ]
  return ['npm run bench', ...(words.length > 0 ? ['--', ...words] : [])].join(' ')
}

async function main(argv: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      filter: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      report: { type: 'string' },
      out: { type: 'string' },
      compare: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return
  }
  const { filter, quick, json, out, report, compare } = values
  const files = positionals.filter((name) => name.endsWith('.json'))
  const fromFiles = files.length > 0
  if (fromFiles && (files.length < positionals.length || filter || quick || json || out))
    throw new Error(
      `bench: files must come alone, with --report DIR or with --compare, got ${argv.join(' ')}`,
    )
  const read = (file: string) => parseRecord(readFileSync(inFolderOfUser(file), 'utf8'), file)
  if (compare) {
    if (files.length !== 2 || report !== undefined)
      throw new Error(`bench: --compare must have two files, before and after, got ${argv.join(' ')}`)
    const [before, after] = files.map(read)
    console.log(compareRecords(before, after))
    return
  }
  const names =
    positionals.length > 0 ? positionals : Object.keys(groups).filter((name) => !groups[name].onDemand)
  const records = fromFiles
    ? files.map(read)
    : [await measure({ names, filter, quick, out }, commandOf(positionals, filter, quick))]
  printClaims(figuresOf(records), fromFiles ? Object.keys(groups) : filter === '' ? names : [])
  if (json !== undefined) writeFileSync(inFolderOfUser(json), `${JSON.stringify(records[0], null, 2)}\n`)
  if (report !== undefined) {
    const { writeResults } = await import('./page/page.ts')
    for (const file of writeResults(inFolderOfUser(report), records)) console.log(`written: ${file}`)
  }
  if (!fromFiles) console.log(JSON.stringify(records[0]))
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
