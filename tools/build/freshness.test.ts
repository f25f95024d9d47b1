import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { buildIfStale } from './freshness.mjs'

let root = ''
const write = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tau-fresh-'))
  for (const name of [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'turbo.json',
    'tsconfig.base.json',
    'packages/a/src/index.ts',
    'packages/a/node_modules/b/index.js',
    'apps/c/src/cli.ts',
    'tools/build/wasm.mjs',
  ])
    write(name, '1')
})
afterEach(() => rmSync(root, { recursive: true }))

/** Whether the build ran. */
function builds(during = () => {}): boolean {
  let ran = false
  buildIfStale(root, () => {
    ran = true
    write('packages/a/dist/index.js', 'built')
    during()
  })
  return ran
}

it('builds once, and again after any change of a source, of the lockfile or of a result', () => {
  expect(builds()).toBe(true)
  expect(builds()).toBe(false)
  for (const change of [
    () => write('packages/a/src/index.ts', '2'),
    () => write('packages/a/src/new.ts', '2'),
    () => rmSync(join(root, 'packages/a/src/new.ts')),
    () => write('apps/c/src/cli.ts', '2'),
    () => write('tools/build/wasm.mjs', '2'),
    () => write('pnpm-lock.yaml', '2'),
    () => write('packages/a/dist/index.js', 'other'),
    () => rmSync(join(root, 'packages/a/dist'), { recursive: true }),
  ]) {
    change()
    expect(builds(), String(change)).toBe(true)
    expect(builds(), String(change)).toBe(false)
  }
})

it('notices a source of the same size whose time was set back', () => {
  builds()
  const path = join(root, 'packages/a/src/index.ts')
  const { atime, mtime } = statSync(path)
  write('packages/a/src/index.ts', '3')
  utimesSync(path, atime, mtime)
  expect(builds()).toBe(true)
})

it('builds again when a source changed while it was building', () => {
  expect(builds(() => write('packages/a/src/index.ts', '4'))).toBe(true)
  expect(builds()).toBe(true)
  expect(builds()).toBe(false)
})

it('builds again after a build that failed', () => {
  expect(() =>
    buildIfStale(root, () => {
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(builds()).toBe(true)
})

it('does not care for what is installed', () => {
  builds()
  write('packages/a/node_modules/b/index.js', '2')
  cpSync(join(root, 'package.json'), join(root, 'notes.txt'))
  expect(builds()).toBe(false)
})
