import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { compareRecords } from './records/compare.ts'
import { type Figures, figuresOf } from './records/figures.ts'
import { type BenchRecord, parseRecord, recordOf } from './records/record.ts'
import { Recorder } from './records/recorder.ts'
import { claimLines, judge } from './records/verdicts.ts'
import { groups } from './registry.ts'

const GROUPS = Object.entries(groups)
  .map(([name, { summary, onDemand }]) => `  ${`${name}${onDemand ? ' *' : ''}`.padEnd(13)}  ${summary}`)
  .join('\n')

const HELP = `Usage: npm run bench                               lists the groups
       npm run bench -- GROUP … [--filter TEXT] [--json FILE]
       npm run bench -- FILE.json … [--report DIR]
       npm run bench -- --compare BEFORE.json AFTER.json

Times kernels and models against their peers. It prints a line for each figure, then the claims and whether they hold, and one line of
JSON at the end. Files that --json wrote are read again instead of measured. The group gpu may have a file for each adapter.

Groups. "all" stands for those without a star:
${GROUPS}

  --filter TEXT  run only benches whose name contains TEXT, for instance matmul/nt; default: all
  --quick        run a smaller selection of kvcache and optimizers, fewer rounds and models of train and decode, fewer rounds of graph
  --install      first install large packages that the groups need, once: onnxruntime-node (291 MB) for kernels,
                 attention and sweep; word vectors (118 MB) for graph. Without them, these benches are skipped
  --json FILE    also write the JSON to FILE
  --report DIR   write DIR/RESULTS.md: claims, tables and machines; its plots go to DIR/results, as SVG
  --compare      print two files as a table for a pull request: metric, before, after, ratio, and whether the difference is more than noise
  --out DIR      folder of the files of kvcache, embedding and optimizers; default: bench-kvcache, docs/graph, bench-optimizers
  --help         this text
`

/** npm runs scripts in the root. The user's paths are relative to the folder of the call. */
const inFolderOfUser = (path: string): string => resolve(process.env.TAU_CWD ?? '.', path)

interface Selection {
  readonly names: readonly string[]
  readonly filter: string
  readonly quick: boolean
  readonly install: boolean
  readonly out: string | undefined
}

/** The groups that the command line names. */
function groupsOf(words: readonly string[]): string[] {
  for (const word of words)
    if (word !== 'all' && !Object.hasOwn(groups, word))
      throw new Error(
        `bench: group must be one of ${Object.keys(groups).join(', ')}, all, got "${word}"; files to read end in .json`,
      )
  const all = Object.keys(groups).filter((name) => !groups[name].onDemand)
  return [...new Set(words.flatMap((word) => (word === 'all' ? all : word)))]
}

async function measure(
  { names, filter, quick, install, out }: Selection,
  command: string,
): Promise<BenchRecord> {
  const chosen = await Promise.all(names.map((name) => groups[name].load()))
  const line = (text: string) => console.log(text)
  const recorder = new Recorder(line)
  const { metric, peer, skip, adapter } = recorder
  const folder = out === undefined ? undefined : inFolderOfUser(out)
  let matched = 0
  for (const run of chosen)
    matched += await run({ filter, quick, install, out: folder, line, metric, peer, skip, adapter })
  if (matched === 0)
    throw new Error(`bench: --filter must match the name of a bench of ${names.join(', ')}, got "${filter}"`)
  const record = recordOf(command, recorder.measurements())
  const skipped = Object.keys(record.skipped)
  if (skipped.length > 0) console.log(`skipped ${skipped.length}: ${skipped.join(', ')}`)
  return record
}

/** The verdicts on what was measured. Without a filter, also on what was not. */
function printClaims(figures: readonly Figures[], whole: readonly string[]): void {
  const verdicts = judge(figures).filter(({ claim, got }) => got || whole.includes(claim.group))
  for (const text of claimLines(verdicts)) console.log(text)
}

/** The command that measures the same again, without the flags that say where results go. */
function commandOf(names: readonly string[], filter: string, quick: boolean): string {
  const words = [
    ...names,
    ...(filter === '' ? [] : ['--filter', /^[\w./-]+$/.test(filter) ? filter : JSON.stringify(filter)]),
    ...(quick ? ['--quick'] : []),
  ]
  return ['npm run bench --', ...words].join(' ')
}

async function main(argv: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      filter: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      install: { type: 'boolean', default: false },
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
  const { filter, quick, install, json, out, report, compare } = values
  const files = positionals.filter((name) => name.endsWith('.json'))
  const fromFiles = files.length > 0
  if (fromFiles && (files.length < positionals.length || filter || quick || install || json || out))
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
  if (positionals.length === 0) {
    if (argv.length > 0)
      throw new Error(
        `bench: flags must come with a group or a file, got ${argv.join(' ')}; name a group, or all`,
      )
    console.log(`Groups. "all" stands for those without a star; --help lists the flags:\n${GROUPS}`)
    return
  }
  const names = fromFiles ? [] : groupsOf(positionals)
  const records = fromFiles
    ? files.map(read)
    : [await measure({ names, filter, quick, install, out }, commandOf(positionals, filter, quick))]
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
