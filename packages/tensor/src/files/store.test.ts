import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { FormatError } from '../errors.ts'
import { memoryStore } from './memory-store.ts'
import { nodeStore } from './node/node-store.ts'
import { fileAt, fileExists, openFileParts, storeAt } from './place.ts'
import { readFileBytes, readJson } from './read.ts'
import { LockedError, type Store } from './store.ts'
import { writeFileAtomic } from './write.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})
async function newFolder(): Promise<string> {
  folders.push(await mkdtemp(join(tmpdir(), 'tau-store-')))
  return folders.at(-1)!
}

const textOf = async (store: Store, name: string): Promise<string> =>
  new TextDecoder().decode(await readFileBytes({ store, name }))

describe.each<[string, () => Promise<Store>]>([
  ['nodeStore', async () => nodeStore(join(await newFolder(), 'made'))],
  ['memoryStore', async () => memoryStore()],
])('%s', (_, make) => {
  it('gives back what was written, by name and by folder', async () => {
    const store = await make()
    expect(await store.list()).toEqual([])
    await store.write([
      { name: 'b', content: 'naïve' },
      { name: 'a', content: [Uint8Array.of(1, 2), Uint8Array.of(3)] },
    ])
    await store
      .folder('step-2')
      .folder('deep')
      .write([{ name: 'c', content: '' }])
    expect(await store.list()).toEqual(['a', 'b', 'step-2'])
    expect(await store.folder('step-2').list()).toEqual(['deep'])
    expect(await textOf(store, 'b')).toBe('naïve')
    expect(Array.from(await readFileBytes({ store, name: 'a' }))).toEqual([1, 2, 3])
    expect(await textOf(store.folder('step-2').folder('deep'), 'c')).toBe('')
    expect(await fileExists({ store, name: 'b' })).toBe(true)
    expect(await fileExists({ store, name: 'c' })).toBe(false)
  })

  it('reads any part of a file, and says when it ends before', async () => {
    const bytes = Uint8Array.from({ length: 211 }, (_, i) => (7 * i) % 251)
    const store = await make()
    await writeFileAtomic({ store, name: 'data' }, bytes)
    const parts = await openFileParts({ store, name: 'data' }, 'test')
    expect(parts.size).toBe(211)
    await fc.assert(
      fc.asyncProperty(fc.nat(211), fc.nat(211), async (start, length) => {
        const target = new Uint8Array(Math.min(length, 211 - start))
        await parts.read(start, target)
        expect(target).toEqual(bytes.slice(start, start + target.length))
      }),
      { numRuns: 30 },
    )
    await expect(parts.read(200, new Uint8Array(12))).rejects.toThrow(
      /^test: .*data must have 12 bytes from byte 200 on, got 11; it is truncated$/,
    )
    await expect(parts.read(200, new Uint8Array(12))).rejects.toThrow(FormatError)
    await parts.close()
  })

  it('replaces all files or none', async () => {
    const store = await make()
    await store.write([{ name: 'a', content: 'old' }])
    const failing = (function* () {
      yield new Uint8Array(7)
      throw new Error('device lost')
    })()
    const writing = store.write([
      { name: 'a', content: 'new' },
      { name: 'b', content: failing },
    ])
    await expect(writing).rejects.toThrow(
      /^save: .*b must be written completely, got device lost after 7 bytes; no file was changed/,
    )
    expect(await store.list()).toEqual(['a'])
    expect(await textOf(store, 'a')).toBe('old')
  })

  it('keeps what a writer has given, whatever the writer does with its array', async () => {
    const store = await make()
    const bytes = Uint8Array.of(1, 2, 3)
    await store.write([{ name: 'a', content: bytes }])
    bytes.fill(9)
    const read = await readFileBytes({ store, name: 'a' })
    read.fill(8)
    expect(Array.from(await readFileBytes({ store, name: 'a' }))).toEqual([1, 2, 3])
  })

  it('appends, and makes the file', async () => {
    const store = await make()
    await store.append('log', 'one\n')
    await store.append('log', 'twö\n')
    expect(await textOf(store, 'log')).toBe('one\ntwö\n')
  })

  it('removes files and whole folders, and nothing beside them', async () => {
    const store = await make()
    for (const name of ['step-2', 'step-21']) await store.folder(name).write([{ name: 'a', content: 'x' }])
    await store.write([{ name: 'step-2.json', content: 'x' }])
    await store.remove('step-2')
    await store.remove('none')
    expect(await store.list()).toEqual(['step-2.json', 'step-21'])
    await store.remove('step-2.json')
    expect(await store.list()).toEqual(['step-21'])
  })

  it('lets nothing outside be named', async () => {
    const store = await make()
    for (const name of ['', '.', '..', '../a', 'a/b', 'a\\b', '/etc/passwd', 'a\0']) {
      expect(() => store.folder(name)).toThrow(/^store: a name in .* must be one part of a path, got /)
      await expect(Promise.resolve().then(() => store.remove(name))).rejects.toThrow(RangeError)
      await expect(store.write([{ name, content: '' }])).rejects.toThrow(RangeError)
      await expect(openFileParts({ store, name })).rejects.toThrow(RangeError)
    }
  })

  it('names what it cannot read', async () => {
    const store = await make()
    await expect(readJson({ store, name: 'none' })).rejects.toThrow(
      /^readJson: .*none must be readable, got .*no such file/,
    )
    await store.write([{ name: 'bad', content: '{' }])
    await expect(readJson({ store, name: 'bad' })).rejects.toThrow(/^readJson: .*\/bad must be JSON, got /)
  })

  it('locks out whoever comes second, until the first is done', async () => {
    const store = await make()
    const lock = await store.lock('run.lock')
    expect(lock.replaced).toBeUndefined()
    await expect(store.lock('run.lock')).rejects.toThrow(LockedError)
    const other = await store.lock('other.lock')
    await lock.release()
    const next = await store.lock('run.lock')
    await lock.release() // a second time: the lock is another's
    await expect(store.lock('run.lock')).rejects.toThrow(/run\.lock must be free, got /)
    await next.release()
    await other.release()
    expect(await store.list()).toEqual([])
  })
})

describe('nodeStore', () => {
  it.each([
    ['a folder', () => storeAt('runs/a')],
    ['a file', () => fileAt('runs/a/config.json')],
  ])('says what to pass instead of the path of %s where there is no Node', (_, place) => {
    vi.stubGlobal('process', undefined)
    try {
      expect(place).toThrow(/^store: a path needs the file system of Node .*, got runs\/a.*; pass a Store$/)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('refuses a path that is no folder', async () => {
    const file = join(await newFolder(), 'file')
    await writeFile(file, 'x')
    await expect(nodeStore(file).list()).rejects.toThrow(
      /^list: .*file must be a readable folder, got ENOTDIR/,
    )
    await expect(nodeStore(file).write([{ name: 'a', content: '' }])).rejects.toThrow(
      /^save: .*file must be a folder or a new name, got EEXIST/,
    )
  })
})
