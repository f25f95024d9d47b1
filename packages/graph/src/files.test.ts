import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeUtf8, readFileBytes, readTextFile, writeFilesAtomic } from './files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tau-graph-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('reading', () => {
  it('names a file that is missing, empty or a folder', async () => {
    const missing = join(folder, 'nothing.txt')
    await expect(readFileBytes('text', missing)).rejects.toThrow(
      `text: cannot read ${missing}: there is no such file; check the path`,
    )
    await expect(readFileBytes('text', folder)).rejects.toThrow('it is a folder')
    const empty = join(folder, 'empty.txt')
    await writeFile(empty, '')
    await expect(readTextFile(empty)).rejects.toThrow(`${empty} must not be empty, got 0 bytes`)
  })

  it('decodes UTF-8, without its mark', async () => {
    const path = join(folder, 'a.txt')
    await writeFile(path, '\ufeffČapek 山 🐋')
    expect(await readTextFile(path)).toBe('Čapek 山 🐋')
  })

  it.each([
    ['a stray byte', bytes(0x61, 0x62, 0xff, 0x63), '0xff at offset 2'],
    ['Latin-1', bytes(0x63, 0x61, 0x66, 0xe9, 0x20), '0xe9 at offset 3'],
    ['a sequence cut off', bytes(0x61, 0xf0, 0x9f, 0x90), '0xf0 at offset 1'],
    ['a surrogate', bytes(0xed, 0xa0, 0x80), '0xed at offset 0'],
  ])('names the place of %s', (_, data, place) => {
    expect(() => decodeUtf8('text x', data)).toThrow(`text x: text must be UTF-8, got byte ${place}`)
  })
})

describe('writeFilesAtomic', () => {
  it('makes the folder and replaces all files', async () => {
    const a = join(folder, 'deep', 'a')
    const b = join(folder, 'deep', 'b')
    await writeFilesAtomic([{ path: a, bytes: bytes(1) }])
    await writeFilesAtomic([
      { path: a, bytes: bytes(2, 3) },
      { path: b, bytes: bytes(4) },
    ])
    expect([...(await readFile(a))]).toEqual([2, 3])
    expect([...(await readFile(b))]).toEqual([4])
    expect(await readdir(join(folder, 'deep'))).toEqual(['a', 'b'])
  })

  it('changes nothing when the disk takes no more', async () => {
    const a = join(folder, 'a')
    const b = join(folder, 'b')
    await writeFile(a, 'old')
    await writeFile(b, 'old')
    // the system refuses files above 64 blocks of 512 or 1024 bytes: the first file fits, the second does not
    const script = `
      import { writeFilesAtomic } from ${JSON.stringify(new URL('./files.ts', import.meta.url).href)}
      const [a, b] = process.argv.slice(1)
      await writeFilesAtomic([{ path: a, bytes: new Uint8Array(9) }, { path: b, bytes: new Uint8Array(1 << 20) }])
        .then(() => console.log('saved'), (error) => console.log(error.name, error.message))`
    const node = [process.execPath, '--experimental-strip-types', '--no-warnings', '--input-type=module']
    const { stdout } = await promisify(execFile)('/bin/sh', [
      ...['-c', 'ulimit -f 64 && exec "$@"', 'sh'],
      ...[...node, '-e', script, a, b],
    ])
    expect(stdout).toMatch(/^GraphError save: .*b must be written whole, got EFBIG.*before is unchanged/)
    expect(await readFile(a, 'utf8')).toBe('old')
    expect(await readFile(b, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['a', 'b'])
  })

  it('leaves no temporary file when a rename fails', async () => {
    const path = join(folder, 'taken')
    await mkdir(join(path, 'inside'), { recursive: true })
    await expect(writeFilesAtomic([{ path, bytes: bytes(1) }])).rejects.toThrow(
      `save: ${path} must be written`,
    )
    expect(await readdir(folder)).toEqual(['taken'])
  })
})
