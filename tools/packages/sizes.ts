import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { run } from './run.ts'

interface Budget {
  readonly name: string
  readonly program: string
  /** Bytes. */
  readonly budget: number
  /** Dynamic imports stay files of their own, of which a program loads some. */
  readonly splits: boolean
}

/** What a page may load for a program, minified by esbuild and compressed by gzip. */
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

/** Throws when a program has outgrown its budget; prints the sizes. */
export function checkSizes(project: string): void {
  for (const [i, { name, program, budget, splits }] of BUDGETS.entries()) {
    const out = join(project, `size-${i}`)
    mkdirSync(out)
    writeFileSync(join(project, `size-${i}.js`), program)
    const options = ['--bundle', '--minify', '--format=esm', '--external:node:*', '--external:gpu.js']
    const outputs = [`--outdir=size-${i}`, ...(splits ? ['--splitting'] : [])]
    run('node_modules/.bin/esbuild', [`size-${i}.js`, ...options, ...outputs], project)
    const bytes = loadedFiles(join(out, `size-${i}.js`), join(project, `loaded-${i}`)).reduce(
      (sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length,
      0,
    )
    if (bytes > budget)
      throw new Error(
        `check: ${name} must be at most ${budget} bytes by gzip, got ${bytes}; find what came in`,
      )
    console.log(`packages: ${name}: ${bytes} bytes by gzip, of ${budget}`)
  }
}

/** The files beside `script` that Node loads when it runs it, by V8's report on what was executed. */
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
