import { describe, expect, it } from 'vitest'
import { parseRecord, peerText, recordOf } from './record.ts'

const record = recordOf('npm run bench -- blas', {
  metrics: { 'blas/ratio_vs_openblas': 0.95 },
  spread: { 'blas/ratio_vs_openblas': 0.02 },
  peers: { openblas: { version: 'OpenBLAS 1.2.3', environment: { A: '1', B: '2' } } },
  skipped: { peer: 'absent' },
})
const parse = (json: unknown) => parseRecord(JSON.stringify(json), 'file.json')

describe('a record', () => {
  it('says what was measured, when and on what, and survives its file', () => {
    expect(record.commit).toMatch(/^([0-9a-f]{40}(-dirty)?|unknown)$/)
    expect(new Date(record.date).toISOString()).toBe(record.date)
    expect(record.memoryBytes).toBeGreaterThan(2 ** 20)
    expect(parse(record)).toEqual(record)
  })

  it('of before spread and peers were recorded has none', () => {
    const { spread: _spread, peers: _peers, ...old } = record
    expect(parse(old)).toEqual({ ...record, spread: {}, peers: {} })
  })

  it('is refused with its file, the rule and what was got', () => {
    const wrong: readonly (readonly [change: object, message: string])[] = [
      [
        { commit: undefined },
        'bench: file.json must have a text as commit, got none; write it again with --json',
      ],
      [{ command: '' }, 'file.json must have a text as command, got ""'],
      [{ memoryBytes: '8 GB' }, 'file.json must have a number above 0 as memoryBytes, got "8 GB"'],
      [{ metrics: [1] }, 'file.json must have an object as metrics, got [1]'],
      [{ metrics: { a: null } }, 'file.json must have a number as a of metrics, got null'],
      [{ spread: { a: '2 %' } }, 'file.json must have a number as a of spread, got "2 %"'],
      [
        { peers: { a: { version: 1, environment: {} } } },
        'file.json must have a version and an environment as a of peers, got {"version":1,"environment":{}}',
      ],
      [
        { peers: { a: { version: 'x', environment: { y: 1 } } } },
        'must have a version and an environment as a of peers',
      ],
      [{ skipped: { a: 1 } }, 'file.json must have a text as a of skipped, got 1'],
    ]
    for (const [change, message] of wrong) expect(() => parse({ ...record, ...change })).toThrow(message)
    expect(() => parse([])).toThrow('file.json must be an object, got []')
    expect(() => parseRecord('{"commit": ', 'file.json')).toThrow(
      'bench: file.json must be JSON, got SyntaxError',
    )
  })
})

describe('a peer', () => {
  it('is told with its environment', () => {
    expect(peerText(record.peers.openblas)).toBe('OpenBLAS 1.2.3 with A=1 B=2')
    expect(peerText({ version: 'numpy 4', environment: {} })).toBe('numpy 4')
  })
})
