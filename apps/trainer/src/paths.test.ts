import { afterEach, describe, expect, it, vi } from 'vitest'
import { userPath } from './paths.ts'

describe('userPath', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('starts where npm was called, else in the working directory; absolute paths stay', () => {
    vi.stubEnv('TAU_CWD', undefined)
    vi.stubEnv('INIT_CWD', '/home/someone/texts')
    expect(userPath('a/b.txt')).toBe('/home/someone/texts/a/b.txt')
    expect(userPath('../c')).toBe('/home/someone/c')
    expect(userPath('/tmp/d')).toBe('/tmp/d')
    vi.stubEnv('TAU_CWD', '/home/someone/else')
    expect(userPath('a')).toBe('/home/someone/else/a')
    vi.stubEnv('TAU_CWD', undefined)
    vi.stubEnv('INIT_CWD', undefined)
    expect(userPath('e')).toBe(`${process.cwd()}/e`)
  })
})
