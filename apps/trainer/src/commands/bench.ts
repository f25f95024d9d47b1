import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { EXIT } from '../run/io.ts'
import type { Action } from './action.ts'

export function benchCommand(action: Action): Command {
  const command = new Command('bench')
    .description('Run the benchmarks of the repository: kernels and more')
    .argument('[args...]', 'as for npm run bench: a group, --json FILE')
    .allowUnknownOption()
    .helpOption(false)
  return command.action(action(() => benchAction(command.args)))
}

/** The benches compare packages with each other and with peers, so they live in the repository, not in this app. */
async function benchAction(args: readonly string[]): Promise<number> {
  const root = findRoot()
  if (root === undefined)
    throw new Error(
      'bench: the benchmarks need the repository, got an installation without it; clone it and run npm run bench',
    )
  const child = spawn(process.execPath, ['--conditions=source', `${root}bench/run.ts`, ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? EXIT.error))
  })
}

/** The repository that this file lies in, whether as source or bundled. */
function findRoot(): string | undefined {
  for (let folder = new URL('.', import.meta.url); folder.pathname !== '/'; folder = new URL('..', folder))
    if (existsSync(new URL('bench/run.ts', folder))) return fileURLToPath(folder)
  return undefined
}
