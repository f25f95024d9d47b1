import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './run.ts'

const AUTHOR = fileURLToPath(new URL('author', import.meta.url))

/** Builds the package `author` from the tarballs alone and runs its kernels. It brings a kernel for each
 *  backend. */
export function buildKernelPackage(project: string): void {
  const folder = join(project, 'author')
  cpSync(AUTHOR, folder, { recursive: true })
  run('../node_modules/.bin/tau-kernel', ['build'], folder)
  run('node', ['../node_modules/typescript/bin/tsc', '-p', '.'], folder)
  const lines = run(process.execPath, ['dist/program.js'], folder).trim().split('\n')
  const expected = '-27,-8,-1,0,1,8,27,64,125 27,12,3,0,3,12,27,48,75'
  if (lines.length !== 3 || lines.some((line) => line !== expected))
    throw new Error(`check: each device must compute ${expected}, got:\n${lines.join('\n')}`)
}
