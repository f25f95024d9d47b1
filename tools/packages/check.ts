// Checks the packages as a stranger installs them. It packs each package, lints the tarballs and installs
// them into an empty project outside the workspace. There it compiles the types with the oldest and the
// newest TypeScript, runs the READMEs' examples in Node, Bun and Deno, and requires the packages from
// CommonJS. It opens a page that Vite built, builds the page with webpack, builds a package that brings
// kernels, and checks sizes. pnpm must be on the path, as in `npm run check`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildKernelPackage } from './author.ts'
import { buildWithWebpack, runInBrowser } from './bundlers.ts'
import { lint } from './lint.ts'
import { makeProject, packAll } from './project.ts'
import { runCommonJs, runExamples } from './runtimes.ts'
import { checkSizes } from './sizes.ts'
import { compileExamples, compileTypes } from './types.ts'

const work = mkdtempSync(join(tmpdir(), 'tau-packages-'))
const project = join(work, 'project')
/** Runs one check, prints that it held, and how long it took. */
async function step<T>(what: string, f: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await f()
  console.log(`packages: ${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  return result
}

try {
  const tarballs = await step('pack', () => packAll(work))
  await step('install with npm', () => makeProject(project, tarballs))
  await step('publint and attw find nothing; links of READMEs work', () => lint(tarballs, project))
  await step('types compile, from TypeScript 5.7 on', () => compileTypes(project))
  const examples = await step('README examples compile', () => compileExamples(project))
  await step('README examples run in Node, Bun and Deno', () => runExamples(project, examples))
  await step('require() works', () => runCommonJs(project))
  await step('a page built with Vite runs in chromium', () => runInBrowser(project))
  await step('webpack builds it without a warning', () => buildWithWebpack(project))
  await step('a package builds kernels of its own and runs them', () => buildKernelPackage(project))
  await step('sizes are within their budgets', () => checkSizes(project))
} finally {
  // TAU_KEEP keeps the project, to look at what failed.
  if (process.env.TAU_KEEP) console.log(`packages: kept in ${work}`)
  else rmSync(work, { recursive: true, force: true })
}
