import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TINY, workFolder } from './testing.ts'

const cli = fileURLToPath(new URL('cli.ts', import.meta.url))

/** `tau` as a process of its own, from source. */
function start(args: readonly string[], cwd: string, input = ''): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--experimental-strip-types', '--conditions=source', cli, ...args],
    {
      cwd,
      env: { ...process.env, TAU_CWD: cwd },
      stdio: 'pipe',
    },
  )
  child.stdin.end(input)
  return child
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.on('close', resolve))

describe('the process', () => {
  let folder: string
  beforeAll(async () => {
    ;({ folder } = await workFolder())
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('ends with 130 and a checkpoint after Ctrl-C; paths start in the folder it was called from', async () => {
    const child = start(
      [
        'train',
        '--data',
        'text.txt',
        '--out',
        'runs/stopped',
        '--steps',
        '100000',
        '--eval-every',
        '3',
        ...TINY,
      ],
      folder,
    )
    let stderr = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      const hadBegun = stderr.includes('step 3/')
      stderr += text
      if (!hadBegun && stderr.includes('step 3/')) child.kill('SIGINT')
    })
    expect([await ended(child), stderr]).toEqual([
      130,
      expect.stringContaining('saved; continue with: npm run tau -- train --resume'),
    ])
    expect(existsSync(join(folder, 'runs/stopped/checkpoints/latest.json'))).toBe(true)
    expect(existsSync(join(folder, 'runs/stopped/report.html'))).toBe(true)
  })

  it('continues a text from standard input, with the model that Ctrl-C left', async () => {
    const args = ['generate', 'runs/stopped', '--prompt-file', '-', '--tokens', '2', '--threads', '1']
    const child = start(args, folder, 'The whale')
    let stdout = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    expect(await ended(child)).toBe(0)
    expect(stdout).toMatch(/^The whale[\s\S]+\n$/)
  })

  it('ends in order when its reader goes away', async () => {
    const child = start(['train', '--help'], folder)
    child.stdout!.destroy()
    expect(await ended(child)).toBe(0)
  })
})
