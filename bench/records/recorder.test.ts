import { describe, expect, it } from 'vitest'
import { Recorder } from './recorder.ts'

describe('Recorder', () => {
  it('keeps figures with their spread, peers, and what was skipped', () => {
    const lines: string[] = []
    const { metric, peer, skip, adapter, measurements } = new Recorder((text) => lines.push(text))
    metric('a/ms', 1.23456789, 0.0123456)
    metric('a/bytes', 42)
    const note = { version: 'numpy 1.2.3', environment: { MALLOC_TOP_PAD_: '9' } }
    peer('numpy', note)
    skip('a/torch', 'no PyTorch')
    adapter('Abacus')
    expect(measurements()).toEqual({
      metrics: { 'a/ms': 1.23457, 'a/bytes': 42 },
      spread: { 'a/ms': 0.0123 },
      peers: { numpy: note },
      skipped: { 'a/torch': 'no PyTorch' },
      adapter: 'Abacus',
    })
    expect(lines).toEqual(['skipped: a/torch: no PyTorch', 'adapter: Abacus'])
  })

  it('refuses a figure that is not finite', () => {
    const { metric } = new Recorder(() => {})
    expect(() => metric('a/ms', Number.NaN)).toThrow('a metric must be a finite number, got NaN for a/ms')
  })
})
