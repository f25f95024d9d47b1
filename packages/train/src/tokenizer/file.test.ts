import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadTokenizer, saveTokenizer } from './file.ts'
import { corpus } from './fixtures/reference.ts'
import { trainTokenizer } from './train.ts'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tau-tokenizer-'))
})
afterAll(() => rm(directory, { recursive: true }))

it('comes back from its file', async () => {
  const path = join(directory, 'tokenizer.json')
  const tokenizer = trainTokenizer(corpus, { vocabSize: 401 })
  await saveTokenizer(tokenizer, path)
  const loaded = await loadTokenizer(path)
  expect(loaded.toJSON()).toEqual(tokenizer.toJSON())
  expect(loaded.encode(corpus)).toEqual(tokenizer.encode(corpus))
})

it('is refused when the file is cut off, lies, or is missing', async () => {
  const path = join(directory, 'bad.json')
  const text = await readFile(join(directory, 'tokenizer.json'), 'utf8')
  await writeFile(path, text.slice(0, text.length / 2))
  await expect(loadTokenizer(path)).rejects.toThrow(`readJson: ${path} must be JSON`)
  await writeFile(path, '{"model": {"type": "WordLevel"}}')
  await expect(loadTokenizer(path)).rejects.toThrow(
    `loadTokenizer: ${path}: tokenizer.json: pre_tokenizer must be`,
  )
  const missing = join(directory, 'missing.json')
  await expect(loadTokenizer(missing)).rejects.toThrow(`readJson: ${missing} must be readable, got ENOENT`)
})
