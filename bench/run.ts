import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { groups, type RunGroup } from './registry.ts'

const HELP = `Usage: npm run bench -- [group …] [--filter TEXT] [--json FILE]

Times kernels and models against their peers, prints a line for each figure and one line of JSON at the end.

Groups; those without a star all run when none is named:
${Object.entries(groups)
  .map(([name, { summary, onDemand }]) => `  ${`${name}${onDemand ? ' *' : ''}`.padEnd(13)}  ${summary}`)
  .join('\n')}

  --filter TEXT  only benches whose name contains TEXT, for instance matmul/nt; default: all
  --json FILE    also write the JSON to FILE
  --out DIR      folder of the files and plots of kvcache and embedding; default: bench-kvcache, docs/graph
  --plots DIR    draw the figures of sweep and decode into DIR, as SVG
  --from FILE    with --plots: draw the figures of FILE, a --json of before, and measure nothing
  --quick        a smaller selection of kvcache, train and decode, fewer rounds of graph
  --help         this text
`

/** What was measured and on what. Names of metrics end in their unit: gflops and gb_per_s are 10⁹ a second, ms is
 *  milliseconds; ratios, spreads and scalings are pure numbers. */
interface Results {
  commit: string
  cpu: string
  runtime: string
  threads: number
  metrics: Record<string, number>
  /** What could not be measured, and why. */
  skipped: Record<string, string>
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim()
  try {
    return (
      git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-dirty')
    )
  } catch {
    return 'unknown' // not a git checkout
  }
}

async function load(name: string): Promise<RunGroup> {
  if (!Object.hasOwn(groups, name))
    throw new Error(`bench: group must be one of ${Object.keys(groups).join(', ')}, got "${name}"`)
  return groups[name].load()
}

/** npm runs scripts in the root; paths are relative to where the user called it. */
const inFolderOfUser = <Path extends string | undefined>(path: Path): Path | string =>
  path === undefined ? path : resolve(process.env.TAU_CWD ?? '.', path)

async function drawPlots(folder: string, metrics: Readonly<Record<string, number>>): Promise<void> {
  const { attentionPlots } = await import('./attention-plots.ts')
  const files = attentionPlots(inFolderOfUser(folder), metrics)
  if (files.length === 0)
    throw new Error(
      'bench: --plots must have figures of sweep or decode to draw, got none; name these groups',
    )
  for (const file of files) console.log(`drawn: ${file}`)
}

function metricsOf(file: string): Record<string, number> {
  const { metrics } = JSON.parse(readFileSync(inFolderOfUser(file), 'utf8')) as Partial<Results>
  if (!metrics) throw new Error(`bench: --from must be a file of --json, got ${file} without metrics`)
  return metrics
}

async function main(argv: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      filter: { type: 'string', default: '' },
      json: { type: 'string' },
      out: { type: 'string' },
      plots: { type: 'string' },
      from: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return
  }
  if (values.from !== undefined) {
    if (values.plots === undefined) throw new Error('bench: --from must come with --plots DIR, got none')
    await drawPlots(values.plots, metricsOf(values.from))
    return
  }
  const names =
    positionals.length > 0 ? positionals : Object.keys(groups).filter((name) => !groups[name].onDemand)
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
  let matched = 0
  for (const run of chosen)
    matched += await run({
      ...{ filter: values.filter, quick: values.quick, out: inFolderOfUser(values.out) },
      ...{ line: (text) => console.log(text), metric, skip },
    })
  if (matched === 0)
    throw new Error(
      `bench: --filter must match the name of a bench of ${names.join(', ')}, got "${values.filter}"`,
    )
  const results: Results = {
    commit: commit(),
    cpu: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`,
    runtime: `node ${process.versions.node}, V8 ${process.versions.v8}`,
    threads: availableParallelism(),
    metrics,
    skipped,
  }
  const count = Object.keys(skipped).length
  if (count > 0) console.log(`skipped ${count}: ${Object.keys(skipped).join(', ')}`)
  console.log(JSON.stringify(results))
  if (values.plots !== undefined) await drawPlots(values.plots, metrics)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
