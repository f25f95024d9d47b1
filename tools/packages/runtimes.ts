import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { published } from './published.ts'
import { run } from './run.ts'

/** Runs the READMEs' examples where users run them: in Node as ES modules, in Bun and in Deno. */
export function runExamples(project: string, files: readonly string[]): void {
  for (const file of files) {
    run(process.execPath, [file], project)
    run('node_modules/.bin/bun', [file], project)
    run('node_modules/.bin/deno', ['run', '--allow-all', file], project)
  }
}

/** Requires every package in a CommonJS module of Node and multiplies two matrices there. */
export function runCommonJs(project: string): void {
  const all = published.map(({ name }) => `require('${name}')`).join('\n')
  writeFileSync(
    join(project, 'common.cjs'),
    `${all}
const { cpu, matmul } = require('@tau/tensor')
async function main() {
  const device = await cpu({ threads: 2 })
  const x = device.tensor([1, 2, 3, 4], [2, 2])
  console.log(Array.from(await matmul(x, x).data()).join())
  await device.close()
}
main()
`,
  )
  const printed = run(process.execPath, ['common.cjs'], project).trim()
  if (printed !== '7,10,15,22')
    throw new Error(`check: the product in CommonJS must be 7,10,15,22, got ${printed}`)
}
