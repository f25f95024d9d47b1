import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installed, isUpToDate, reasonIn } from './install.ts'

describe('packages on demand', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tau-install-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const lock = (version: string, root: object = {}) =>
    JSON.stringify({ packages: { ...root, 'node_modules/a': { version } } })
  const write = (wanted: string, found: string) => {
    writeFileSync(join(folder, 'package-lock.json'), lock(wanted, { '': { version: '0.0.0' } }))
    mkdirSync(join(folder, 'node_modules'))
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), lock(found))
  }

  it('are used where they have the versions of the lock file', () => {
    write('1.2.3', '1.2.3')
    expect(isUpToDate(folder)).toBe(true)
    const context = { install: false, line: () => {} }
    expect(installed({ folder, what: 'a, 3 MB' }, context)).toEqual({ modules: `${folder}/node_modules` })
  })

  it('are absent without --install, and where another version lies', () => {
    const context = { install: false, line: () => {} }
    const absent = { absent: 'a, 3 MB, is not installed; run the bench with --install' }
    expect(installed({ folder, what: 'a, 3 MB' }, context)).toEqual(absent)
    write('1.2.3', '1.2.2')
    expect(isUpToDate(folder)).toBe(false)
    expect(installed({ folder, what: 'a, 3 MB' }, context)).toEqual(absent)
  })
})

describe('the reason of a failed download', () => {
  it('is the line that names it, or else the code', () => {
    const network = 'request to http://no.invalid/words failed, reason: getaddrinfo ENOTFOUND no.invalid'
    expect(reasonIn(`npm error code ENOTFOUND\nnpm error network ${network}\nnpm error network\n`)).toBe(
      network,
    )
    expect(reasonIn('npm error code EINTEGRITY\nnpm error sha512-…\n')).toBe('code EINTEGRITY')
  })
})
