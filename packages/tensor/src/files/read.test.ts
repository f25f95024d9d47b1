import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readJson } from './read.ts'

let path = ''
let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tau-read-'))
  path = join(directory, 'value.json')
})
afterAll(() => rm(directory, { recursive: true }))

it('reads a value', async () => {
  await writeFile(path, '\ufeff{"step": 7, "name": "🐳"}\n')
  expect(await readJson(path)).toEqual({ step: 7, name: '🐳' })
})

it.for([
  ['{"step": 7', /must be JSON, got .*JSON.*; the file is damaged/],
  ['', /must not be empty, got 0 bytes/],
  [Uint8Array.of(0x22, 0xff, 0x22), /must be UTF-8, got bytes ff 22 at offset 1/],
] as const)('refuses content %j', async ([content, message]) => {
  await writeFile(path, content)
  await expect(readJson(path)).rejects.toThrow(message)
  await expect(readJson(path)).rejects.toThrow(`readJson: ${path}`)
})

it('refuses what is too large, missing or a directory', async () => {
  await writeFile(path, '[1, 2, 3]')
  await expect(readJson(path, { maxBytes: 8 })).rejects.toThrow(
    `readJson: ${path} must have at most 8 bytes, got 9`,
  )
  await expect(readJson(`${path}.no`)).rejects.toThrow(`readJson: ${path}.no must be readable, got ENOENT`)
  await expect(readJson(directory)).rejects.toThrow(`readJson: ${directory} must be a file, got a directory`)
})
