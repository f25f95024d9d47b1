import { describe, expect, it } from 'vitest'
import { reasonIn } from './install.ts'

describe('the reason of a failed download', () => {
  it('is the line that names it, or else the code', () => {
    const network = 'request to http://no.invalid/words failed, reason: getaddrinfo ENOTFOUND no.invalid'
    expect(reasonIn(`npm error code ENOTFOUND\nnpm error network ${network}\nnpm error network\n`)).toBe(
      network,
    )
    expect(reasonIn('npm error code EINTEGRITY\nnpm error sha512-…\n')).toBe('code EINTEGRITY')
  })
})
