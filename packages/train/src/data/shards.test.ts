import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readShards, type WriteShardsOptions, writeShards } from './shards.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tau-shards-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const val = Int32Array.of(5, 6)
const header = () => JSON.parse(readFileSync(join(folder, 'tokens.json'), 'utf8'))
const rewrite = (change: object) =>
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify({ ...header(), ...change }))

describe('shards', () => {
  it('give back the ids, in files of the asked size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(257, 2 ** 16, 2 ** 16 + 1, 2 ** 24),
        fc.integer({ min: 1, max: 23 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 53 }),
        async (vocabSize, shardTokens, numbers) => {
          const train = Int32Array.from(numbers, (number) => number % vocabSize)
          const { dtype } = await writeShards(folder, { train, val, vocabSize, shardTokens })
          expect(dtype).toBe(vocabSize <= 2 ** 16 ? 'uint16' : 'uint32')
          expect(header().train).toHaveLength(Math.ceil(train.length / shardTokens))
          expect(await readShards(folder, vocabSize)).toEqual({ train, val })
        },
      ),
      { seed: 3, numRuns: 20 },
    )
  })

  it('are little-endian bytes', async () => {
    await writeShards(folder, { train: Int32Array.of(1, 0x1234), val, vocabSize: 2 ** 16, shardTokens: 7 })
    expect([...readFileSync(join(folder, 'train-00000.bin'))]).toEqual([1, 0, 0x34, 0x12])
    expect(readdirSync(folder).sort()).toEqual(['tokens.json', 'train-00000.bin', 'val-00000.bin'])
  })

  it('refuse files that are missing, short, changed or lie', async () => {
    const write = () =>
      writeShards(folder, { train: Int32Array.of(1, 2, 3), val, vocabSize: 300, shardTokens: 2 })
    const path = join(folder, 'train-00001.bin')
    await write()
    truncateSync(path, 1)
    await expect(readShards(folder, 300)).rejects.toThrow(
      /train-00001\.bin must have 1 uint16 = 2 bytes, got 1/,
    )
    writeFileSync(path, Uint8Array.of(9, 0))
    await expect(readShards(folder, 300)).rejects.toThrow(
      /train-00001\.bin must have SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}/,
    )
    unlinkSync(path)
    await expect(readShards(folder, 300)).rejects.toThrow(/train-00001\.bin must be readable, got ENOENT/)
    await write()
    await expect(readShards(folder, 301)).rejects.toThrow(
      /must be for the tokenizer's 301 tokens, got vocabSize 300/,
    )
    await writeShards(folder, { train: Int32Array.of(299), val, vocabSize: 300, shardTokens: 2 })
    rewrite({ vocabSize: 299 })
    await expect(readShards(folder, 299)).rejects.toThrow(
      /ids must be from 0 to vocabSize - 1, with vocabSize 299, got 299/,
    )
  })

  it.each<[string, Partial<WriteShardsOptions>, RegExp]>([
    ['no text held out', { val: new Int32Array(0) }, /val must hold at least one token, got none/],
    ['shards without end', { shardTokens: 0 }, /shardTokens must be a whole number from 1 to .*, got 0/],
    ['no vocabulary', { vocabSize: Number.NaN }, /vocabSize must be .*, got NaN/],
    [
      'an id that uint16 would cut',
      { train: Int32Array.of(7, 2 ** 16 + 7) },
      /got 65543 at position 1 of train/,
    ],
    ['a negative id', { val: Int32Array.of(-1) }, /got -1 at position 0 of val/],
  ])('are not written with %s', async (_, change, message) => {
    const good = { train: Int32Array.of(1), val, vocabSize: 300, shardTokens: 2 }
    await expect(writeShards(folder, { ...good, ...change })).rejects.toThrow(message)
    expect(readdirSync(folder)).toEqual([])
  })

  it.each([
    [
      'a file elsewhere',
      { train: [{ file: '../../etc/passwd', tokens: 1, sha256: '0'.repeat(64) }] },
      /train\.0\.file/,
    ],
    [
      'a huge count',
      { train: [{ file: 'train-00000.bin', tokens: 2 ** 40, sha256: '0'.repeat(64) }] },
      /must have 1099511627776 uint16 = 2199023255552 bytes, got 4/,
    ],
    ['another format', { format: 'tau-tokens-9' }, /format/],
    ['an unknown key', { extra: 1 }, /extra/],
    ['no shards', { val: [] }, /val must be a list of at least one file, got \[\]/],
    ['no list', { train: { file: 'train-00000.bin' } }, /train must be a list/],
    ['another width', { dtype: 'uint8' }, /dtype must be uint16 or uint32, got "uint8"/],
  ])('refuse a header with %s', async (_, change, message) => {
    await writeShards(folder, { train: Int32Array.of(1, 2), val, vocabSize: 300, shardTokens: 2 })
    rewrite(change)
    await expect(readShards(folder, 300)).rejects.toThrow(message)
  })
})
