import { execFile } from 'node:child_process'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeFileAtomic } from '../write.ts'
import { writeFilesAtomic } from './atomic.ts'

let directory = ''
let path = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tau-atomic-'))
  path = join(directory, 'model.bin')
})
afterEach(() => rm(directory, { recursive: true }))

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251)

describe('writeFileAtomic', () => {
  it.for<[string, () => Parameters<typeof writeFileAtomic>[1], Uint8Array]>([
    ['bytes', () => bytes(1009), bytes(1009)],
    ['no bytes', () => new Uint8Array(0), new Uint8Array(0)],
    ['a view', () => bytes(1009).subarray(11, 29), bytes(29).slice(11)],
    ['text', () => 'naïve', new TextEncoder().encode('naïve')],
    ['a list of chunks', () => [bytes(7), new Uint8Array(0), bytes(3)], Uint8Array.of(...bytes(7), 0, 1, 2)],
    [
      'chunks in time',
      async function* () {
        yield bytes(5)
        await new Promise((resolve) => setTimeout(resolve, 1))
        yield bytes(2)
      },
      Uint8Array.of(0, 1, 2, 3, 4, 0, 1),
    ],
  ])('writes %s in place of the old file and leaves nothing else', async ([, content, expected]) => {
    await writeFile(path, 'a longer old content'.repeat(100))
    await writeFileAtomic(path, content())
    expect(new Uint8Array(await readFile(path))).toEqual(expected)
    expect(await readdir(directory)).toEqual(['model.bin'])
  })

  it('makes a new file, and the folders that it is in', async () => {
    await writeFileAtomic(path, 'new')
    expect(await readFile(path, 'utf8')).toBe('new')
    await writeFileAtomic(join(directory, 'a', 'b', 'c'), 'deep')
    expect(await readFile(join(directory, 'a', 'b', 'c'), 'utf8')).toBe('deep')
  })

  it('shows the old content until it is complete', async () => {
    await writeFile(path, 'old')
    const seen: string[] = []
    await writeFileAtomic(
      path,
      (async function* () {
        for (let i = 0; i < 3; i++) {
          yield bytes(70_001)
          seen.push(await readFile(path, 'utf8'))
        }
      })(),
    )
    expect(seen).toEqual(['old', 'old', 'old'])
    expect((await stat(path)).size).toBe(3 * 70_001)
  })

  it('follows a link and keeps permissions', async () => {
    const link = join(directory, 'latest')
    await writeFile(path, 'old')
    // Permission bits that the usual umask removes from a new file.
    await chmod(path, 0o666)
    await symlink('model.bin', link)
    await writeFileAtomic(link, 'new')
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
    expect(await readFile(path, 'utf8')).toBe('new')
    expect((await stat(path)).mode & 0o777).toBe(0o666)
  })
})

describe('writeFilesAtomic', () => {
  it('replaces all files, in several directories', async () => {
    const other = join(directory, 'other')
    await mkdir(other)
    await writeFile(path, 'old')
    await writeFilesAtomic([
      { path, content: 'new' },
      { path: join(other, 'b'), content: bytes(3) },
    ])
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(new Uint8Array(await readFile(join(other, 'b')))).toEqual(bytes(3))
    expect(await readdir(directory)).toEqual(['model.bin', 'other'])
    expect(await readdir(other)).toEqual(['b'])
  })

  it('shows the old content of all until the last is complete', async () => {
    await writeFile(path, 'old')
    const seen: string[] = []
    await writeFilesAtomic([
      { path, content: 'new' },
      {
        path: join(directory, 'other'),
        content: (async function* () {
          yield bytes(5)
          seen.push(await readFile(path, 'utf8'))
        })(),
      },
    ])
    expect(seen).toEqual(['old'])
    expect(await readFile(path, 'utf8')).toBe('new')
  })

  it('writes nothing for no files', async () => {
    await writeFilesAtomic([])
    expect(await readdir(directory)).toEqual([])
  })

  it('changes none when one cannot be written', async () => {
    await writeFile(path, 'old')
    const other = join(directory, 'other')
    const failing = (function* () {
      yield bytes(7)
      throw new Error('device lost')
    })()
    const files = [
      { path, content: 'new' },
      { path: other, content: failing },
    ]
    await expect(writeFilesAtomic(files)).rejects.toThrow(
      `save: ${other} must be written completely, got device lost after 7 bytes; no file was changed`,
    )
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(directory)).toEqual(['model.bin'])
  })

  it('says which files are new when a rename fails, and leaves no temporary file', async () => {
    await writeFile(path, 'old')
    const taken = join(directory, 'taken')
    await mkdir(join(taken, 'inside'), { recursive: true })
    const files = [
      { path, content: 'new' },
      { path: taken, content: 'x' },
      { path: join(directory, 'last'), content: 'y' },
    ]
    await expect(writeFilesAtomic(files)).rejects.toThrow(
      new RegExp(
        `^save: ${taken} must be written completely, got EISDIR.*; ${path} already replaced, the other files unchanged: `,
      ),
    )
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await readdir(directory)).toEqual(['model.bin', 'taken'])
  })
})

describe('a failed save', () => {
  const expectOldFileOnly = async () => {
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(directory)).toEqual(['model.bin'])
  }

  it('for want of space keeps the old files and removes what was written', async () => {
    await writeFile(path, 'old')
    const first = join(directory, 'first.bin')
    await writeFile(first, 'old')
    // The operating system refuses to write more than 64 kB (ulimit counts blocks of 512 or 1024 bytes). The
    // first write is short, the next one fails.
    const script = `
      import { writeFilesAtomic } from ${JSON.stringify(new URL('./atomic.ts', import.meta.url))}
      const [first, path] = process.argv.slice(1)
      try {
        await writeFilesAtomic([
          { path: first, content: new Uint8Array(7) },
          { path, content: [new Uint8Array(7), new Uint8Array(1 << 20)] },
        ])
        console.log('saved')
      } catch (error) {
        console.log(JSON.stringify({ message: error.message, code: error.cause.code }))
      }`
    const node = [process.execPath, '--experimental-strip-types', '--no-warnings', '--input-type=module']
    const limited = ['-c', 'ulimit -f 64 && exec "$@"', 'sh', ...node, '-e', script, first, path]
    const { stdout } = await promisify(execFile)('/bin/sh', limited)
    const { message, code } = JSON.parse(stdout)
    expect(code).toBe('EFBIG')
    expect(message).toMatch(
      /^save: .*model\.bin must be written completely, got EFBIG: .* after (32768|65536) bytes; /,
    )
    expect(message).toMatch(/no file was changed: raise the file size limit/)
    expect(await readFile(first, 'utf8')).toBe('old')
    await rm(first)
    await expectOldFileOnly()
  })

  it('because chunks fail keeps the old file', async () => {
    await writeFile(path, 'old')
    const cause = new Error('device lost')
    const failing = async function* () {
      yield bytes(101)
      throw cause
    }
    const saving = writeFileAtomic(path, failing())
    await expect(saving).rejects.toThrow(
      `save: ${path} must be written completely, got device lost after 101 bytes`,
    )
    await expect(saving).rejects.toHaveProperty('cause', cause)
    await expectOldFileOnly()
  })

  it('onto a directory leaves it alone', async () => {
    await writeFile(path, 'old')
    const folder = join(directory, 'folder')
    await mkdir(folder)
    await expect(writeFileAtomic(folder, 'new')).rejects.toThrow(
      `save: ${folder} must be written completely, got EISDIR`,
    )
    expect(await readdir(directory)).toEqual(['folder', 'model.bin'])
  })

  it('into a folder that cannot be made says so', async () => {
    await writeFile(path, 'old')
    await expect(writeFileAtomic(join(path, 'inside'), 'new')).rejects.toThrow(
      /^save: .*model\.bin must be a folder or a new name, got EEXIST/,
    )
    await expectOldFileOnly()
  })
})
