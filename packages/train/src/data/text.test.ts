import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readTextFiles, splitHeldOut } from './text.ts'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tau-text-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

describe('readTextFiles', () => {
  it('reads files in the given order, byte for byte but for the byte order mark', async () => {
    const second = await file('b.txt', 'naïve\r\n白鲸 🐳')
    const first = await file('a.txt', '\ufeffCall me')
    expect(await readTextFiles([second, first])).toEqual([
      { path: second, text: 'naïve\r\n白鲸 🐳' },
      { path: first, text: 'Call me' },
    ])
  })

  it('names the file and the offset of bytes that are not UTF-8', async () => {
    const good = await file('good.txt', 'good')
    // A letter, é in UTF-8 (two bytes), then é in Latin-1 (one byte).
    const path = await file('latin1.txt', Uint8Array.of(0xc3, 0xa9, 0x61, 0xe9, 0x62))
    await expect(readTextFiles([good, path])).rejects.toThrow(
      `readTextFiles: ${path} must be UTF-8, got bytes e9 62 at offset 3; convert the file to UTF-8`,
    )
  })

  it('refuses what is missing, empty, a directory or a device', async () => {
    const missing = join(directory, 'missing.txt')
    await expect(readTextFiles([missing])).rejects.toThrow(
      `readTextFiles: ${missing} must be readable, got ENOENT`,
    )
    const empty = await file('empty.txt', '')
    await expect(readTextFiles([empty])).rejects.toThrow(
      `readTextFiles: ${empty} must not be empty, got 0 bytes`,
    )
    const mark = await file('mark.txt', '\ufeff')
    await expect(readTextFiles([mark])).rejects.toThrow(
      `readTextFiles: ${mark} must not be empty, got 3 bytes`,
    )
    await expect(readTextFiles([directory])).rejects.toThrow(
      `${directory} must be a file, got a directory; list its files`,
    )
    await expect(readTextFiles(['/dev/null'])).rejects.toThrow('/dev/null must be a regular file')
    await expect(readTextFiles([])).rejects.toThrow('at least one path is needed, got 0')
  })
})

describe('splitHeldOut', () => {
  const ids = Int32Array.from({ length: 101 }, (_, i) => i)

  it.for([
    [0, 101],
    [0.001, 100],
    [0.1, 91],
    [0.5, 51],
    [0.99, 2],
  ] as const)('holds out the fraction %d: %i to train on', ([fraction, expected]) => {
    const { train, heldOut } = splitHeldOut(ids, fraction)
    expect(train).toEqual(ids.slice(0, expected))
    expect(heldOut).toEqual(ids.slice(expected))
    expect(train.buffer).toBe(ids.buffer)
  })

  it('cuts text between characters', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 3 }),
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        (text, fraction) => {
          const { train, heldOut } = splitHeldOut(text, fraction)
          expect(train + heldOut).toBe(text)
          expect([train, heldOut].some((part) => /\p{Surrogate}/u.test(part))).toBe(false)
          const wanted = Math.max(1, Math.floor(text.length * fraction))
          expect(heldOut.length - wanted).toBeOneOf([0, 1])
        },
      ),
      { seed: 10, numRuns: 500 },
    )
    expect(splitHeldOut('ab🐳', 0.25)).toEqual({ train: 'ab', heldOut: '🐳' })
  })

  it('refuses other fractions, and texts that leave nothing to train on', () => {
    for (const fraction of [-0.1, 1, 1.5, Number.NaN]) {
      expect(() => splitHeldOut(ids, fraction)).toThrow(`at least 0 and less than 1, got ${fraction}`)
    }
    expect(() => splitHeldOut('a', 0.1)).toThrow('must not be empty, got length 1 and fraction 0.1')
    expect(() => splitHeldOut('', 0)).toThrow('must not be empty, got length 0 and fraction 0')
    expect(() => splitHeldOut('🐳', 0.5)).toThrow('must not be empty, got length 2 and fraction 0.5')
  })
})
