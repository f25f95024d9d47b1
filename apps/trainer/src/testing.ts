import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mobyDick } from '@tau/demo'
import { main } from './program.ts'

/** What a command said and how it ended. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `tau` inside this process. `onLine` sees each piece of stderr and may abort, as Ctrl-C does. */
export async function tau(
  args: readonly string[],
  onLine?: (text: string, abort: () => void) => void,
): Promise<Outcome> {
  const controller = new AbortController()
  let stdout = ''
  let stderr = ''
  const code = await main(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: {
      write: (text) => {
        stderr += text
        onLine?.(text, () => controller.abort())
      },
    },
    signal: controller.signal,
  })
  return { code, stdout, stderr }
}

/** A folder with a short English text, for runs of a second. */
export async function workFolder(): Promise<{ folder: string; text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tau-cli-'))
  const text = join(folder, 'text.txt')
  writeFileSync(text, (await mobyDick()).slice(30_000, 70_000))
  mkdirSync(join(folder, 'runs'))
  return { folder, text }
}

/** Flags of a model that trains in no time: head dim 6, context 11. */
export const TINY = [
  ...['--n-layer', '1', '--n-head', '2', '--n-embd', '12', '--seq-len', '11', '--vocab-size', '307'],
  ...[
    '--batch-size',
    '3',
    '--manifold.width',
    '17',
    '--eval-tokens',
    '100',
    '--sample.tokens',
    '5',
    '--threads',
    '1',
  ],
]
