import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { published } from './published.ts'
import { run } from './run.ts'

interface Budget {
  readonly name: string
  readonly program: string
  /** Bytes. */
  readonly budget: number
  /** Whether dynamic imports stay files of their own. A program loads only some of them. */
  readonly splits: boolean
}

/** How many bytes a program may load in a page, minified by esbuild and compressed by gzip. */
const BUDGETS: readonly Budget[] = [
  {
    name: 'an error class of @tau/tensor',
    program: `import { ShapeError } from '@tau/tensor'\nconsole.log(ShapeError)`,
    budget: 1_000,
    splits: false,
  },
  {
    name: 'cpu() and a product of matrices',
    program: `import { cpu, matmul } from '@tau/tensor'\nconst device = await cpu()\nconst x = device.tensor([1], [1, 1])\nconsole.log(await matmul(x, x).data())`,
    budget: 60_000,
    splits: true,
  },
]

/** How many bytes an entry of a package may load at once: everything that it exports, without what it imports
 *  on demand. */
const ENTRY_BUDGETS: Readonly<Record<string, number>> = {
  '@tau/tensor': 34_000,
  '@tau/tensor/kernel': 6_000,
  '@tau/tensor/files': 7_000,
  '@tau/tensor/optim': 12_000,
  '@tau/graph': 132_000,
  '@tau/attention': 33_000,
  '@tau/model': 113_000,
  '@tau/train': 160_000,
  '@tau/blas': 2_000,
}

const OPTIONS = ['--bundle', '--minify', '--format=esm', '--external:node:*']
const OPTIONAL_PEERS = ['gpu.js', 'koffi', 'usearch'].map((name) => `--external:${name}`)

/** Prints the sizes. Throws if a program or an entry has outgrown its budget. */
export function checkSizes(project: string): void {
  checkPrograms(project)
  for (const entry of published.flatMap((one) => one.entries)) {
    const budget = ENTRY_BUDGETS[entry]
    if (budget === undefined)
      throw new Error(`check: ${entry} must have a budget, got none; add it in tools/packages/sizes.ts`)
    checkSize(entry, entrySize(project, entry), budget)
  }
}

function checkSize(name: string, bytes: number, budget: number): void {
  if (bytes > budget)
    throw new Error(
      `check: ${name} must be at most ${budget} bytes by gzip, got ${bytes}; find the import that it now loads`,
    )
  console.log(`packages: ${name}: ${bytes} bytes by gzip, of ${budget}`)
}

const gzipBytes = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length

/** The bytes of the chunks that an import of the whole entry loads. */
function entrySize(project: string, entry: string): number {
  const script = `entry-${entry.replace(/\W+/g, '-')}.js`
  writeFileSync(join(project, script), `export * from '${entry}'`)
  const outputs = ['--outdir=entries', '--splitting', '--metafile=entries.json', '--log-level=error']
  run('node_modules/.bin/esbuild', [script, ...OPTIONS, ...OPTIONAL_PEERS, ...outputs], project)
  const meta = JSON.parse(readFileSync(join(project, 'entries.json'), 'utf8')) as Metafile
  const loaded = new Set<string>()
  const load = (file: string) => {
    if (loaded.has(file)) return
    loaded.add(file)
    for (const { path, kind, external } of meta.outputs[file].imports)
      if (kind === 'import-statement' && !external) load(path)
  }
  load(`entries/${script}`)
  return Array.from(loaded).reduce((sum, file) => sum + gzipBytes(join(project, file)), 0)
}

/** The part of esbuild's report that we read. */
interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly imports: readonly { path: string; kind: string; external?: boolean }[] }>
  >
}

function checkPrograms(project: string): void {
  for (const [i, { name, program, budget, splits }] of BUDGETS.entries()) {
    const out = join(project, `size-${i}`)
    mkdirSync(out)
    writeFileSync(join(project, `size-${i}.js`), program)
    const outputs = [`--outdir=size-${i}`, ...(splits ? ['--splitting'] : [])]
    run('node_modules/.bin/esbuild', [`size-${i}.js`, ...OPTIONS, ...OPTIONAL_PEERS, ...outputs], project)
    const files = loadedFiles(join(out, `size-${i}.js`), join(project, `loaded-${i}`))
    checkSize(
      name,
      files.reduce((sum, file) => sum + gzipBytes(file), 0),
      budget,
    )
  }
}

/** The files beside `script` that Node loads when it runs the script. V8's report of executed code names
 *  them. */
function loadedFiles(script: string, reports: string): string[] {
  execFileSync(process.execPath, [script], {
    env: { ...process.env, NODE_V8_COVERAGE: reports },
    stdio: 'pipe',
  })
  const folder = new URL('.', `file://${script}`).href
  const urls = readdirSync(reports).flatMap((report) => {
    const { result } = JSON.parse(readFileSync(join(reports, report), 'utf8')) as Coverage
    return result.map(({ url }) => url).filter((url) => url.startsWith(folder))
  })
  return Array.from(new Set(urls), (url) => new URL(url).pathname)
}

interface Coverage {
  readonly result: readonly { readonly url: string }[]
}
