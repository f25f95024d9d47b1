import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mobyDick } from '@tau/demo'
import { main } from './program.ts'

/** Output and exit code of a command. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `tau` inside this process. `onLine` gets each piece of stderr, and may call `abort`, which acts like
 *  Ctrl-C. */
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

/** Makes a folder with a short English text, for runs that take a second. */
export async function workFolder(): Promise<{ folder: string; text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tau-cli-'))
  const text = join(folder, 'text.txt')
  writeFileSync(text, (await mobyDick()).slice(30_000, 70_000))
  mkdirSync(join(folder, 'runs'))
  return { folder, text }
}

/** Flags of a tiny model that trains fast: head dim 6, context 11. */
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
