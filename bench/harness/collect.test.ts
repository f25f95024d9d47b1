import { describe, expect, it } from 'vitest'
import { collect } from './collect.ts'

describe('collect', () => {
  it('finds the benches beside the kernels, in the order of their files', async () => {
    const found = await collect('packages/*/src/kernels/*/*.bench.ts', 'rope/')
    expect(found.map(({ name }) => name)).toEqual(['rope/nano_T256', 'rope/30m_T1024'])
  })

  it('says which pattern matches no file, and which file has no benches', async () => {
    await expect(collect('packages/*/src/*.none.ts', '')).rejects.toThrow(
      'some file must match packages/*/src/*.none.ts',
    )
    await expect(collect('bench/harness/race.ts', '')).rejects.toThrow(
      'a bench file must export benches, got bench/harness/race.ts without',
    )
  })
})
