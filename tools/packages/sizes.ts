import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { run } from './run.ts'

/** What a page may load for a program: every chunk that runs, minified by esbuild and compressed by gzip, in bytes. */
const BUDGETS = [
  {
    name: 'an error class of @tau/tensor',
    program: `import { ShapeError } from '@tau/tensor'\nconsole.log(ShapeError)`,
    budget: 76_000,
  },
  {
    name: 'cpu() and a product of matrices',
    program: `import { cpu, matmul } from '@tau/tensor'\nconst device = await cpu()\nconst x = device.tensor([1], [1, 1])\nconsole.log(await matmul(x, x).data())`,
    budget: 84_000,
  },
] as const

/** Throws when a program has outgrown its budget; prints the sizes. */
export function checkSizes(project: string): void {
  for (const [i, { name, program, budget }] of BUDGETS.entries()) {
    const out = join(project, `size-${i}`)
    mkdirSync(out)
    writeFileSync(join(project, `size-${i}.js`), program)
    const options = [
      '--bundle',
      '--minify',
      '--format=esm',
      '--splitting',
      '--external:node:*',
      '--external:gpu.js',
    ]
    run('node_modules/.bin/esbuild', [`size-${i}.js`, ...options, `--outdir=size-${i}`], project)
    const bytes = readdirSync(out).reduce(
      (sum, file) => sum + gzipSync(readFileSync(join(out, file)), { level: 9 }).length,
      0,
    )
    if (bytes > budget)
      throw new Error(
        `check: ${name} must be at most ${budget} bytes by gzip, got ${bytes}; find what came in`,
      )
    console.log(`packages: ${name}: ${bytes} bytes by gzip, of ${budget}`)
  }
}
