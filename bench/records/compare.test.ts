import { describe, expect, it } from 'vitest'
import { changeOf, compareRecords } from './compare.ts'
import type { BenchRecord } from './record.ts'

const record = (metrics: BenchRecord['metrics'], more: Partial<BenchRecord> = {}): BenchRecord => ({
  commit: '0123456789abcdef',
  command: 'npm run bench -- kernels --filter softcap',
  date: '2026-01-01T00:00:00.000Z',
  cpu: 'a processor, 2 cores',
  memoryBytes: 1,
  os: 'Linux',
  runtime: 'node 24',
  threads: 2,
  metrics,
  ...{ spread: {}, peers: {}, skipped: {} },
  ...more,
})

describe('compareRecords', () => {
  it('puts what both have side by side, with spread, ratio and verdict, and names what one of them lacks', () => {
    const before = record({ 'softcap/x/gb_per_s': 4, 'softcap/x/ms': 2, 'gone/ms': 1 })
    const after = record(
      { 'softcap/x/gb_per_s': 5, 'softcap/x/ms': 1.9, 'softcap/x/new': 1 },
      { commit: 'fedcba9876543210-dirty' },
    )
    const spread = { 'softcap/x/gb_per_s': 0.02, 'softcap/x/ms': 0.04 }
    expect(compareRecords({ ...before, spread }, { ...after, spread })).toBe(
      [
        '| metric               | before | after   | after / before | change |',
        '| -------------------- | ------ | ------- | -------------- | ------ |',
        '| `softcap/x/gb_per_s` | 4 ±2%  | 5 ±2%   | 1.25x          | higher |',
        '| `softcap/x/ms`       | 2 ±4%  | 1.9 ±4% | 0.95x          | noise  |',
        '',
        '`npm run bench -- kernels --filter softcap` on a processor, 2 cores, node 24; before: 012345678, after: fedcba987 with changes that are not committed.',
        '',
        'noise: before and after overlap within their spreads (±). unknown: no spread was recorded.',
        '',
        'Missing before: `softcap/x/new`.',
        '',
        'Missing after: `gone/ms`.',
        '',
      ].join('\n'),
    )
  })

  it('says when a peer is another one', () => {
    const of = (version: string) => record({ a: 1 }, { peers: { torch: { version, environment: {} } } })
    expect(compareRecords(of('PyTorch 1'), of('PyTorch 2'))).toContain(
      'Another peer: PyTorch 1 before, PyTorch 2 after.\n',
    )
    expect(compareRecords(of('PyTorch 1'), of('PyTorch 1'))).not.toContain('Another peer')
    expect(compareRecords(record({ a: 1 }), of('PyTorch 1'))).toContain(
      'Another peer: not recorded before, PyTorch 1 after.\n',
    )
  })

  it.each([
    ['command', { command: 'npm run bench -- kernels' }],
    ['cpu', { cpu: 'another' }],
    ['runtime', { runtime: 'node 22' }],
  ])('refuses files of another %s', (field, more) => {
    expect(() => compareRecords(record({ a: 1 }), record({ a: 1 }, more))).toThrow(
      `files to compare must have one ${field}`,
    )
  })

  it('refuses files that have nothing in common', () => {
    expect(() => compareRecords(record({ a: 1 }), record({ b: 1 }))).toThrow('a metric in common, got none')
  })
})

describe('changeOf', () => {
  it.each([
    ['same', [3, undefined], [3, undefined]],
    ['unknown', [3, undefined], [4, 0.1]],
    ['unknown', [3, 0.1], [4, undefined]],
    ['noise', [100, 0.05], [110, 0.05]], // 95 to 105 and 104.5 to 115.5
    ['higher', [100, 0.05], [111, 0.05]], // 105 and 105.45
    ['lower', [111, 0.05], [100, 0.05]],
    ['higher', [100, 0], [100.1, 0]],
  ] as const)('is %s', (expected, [before, spreadBefore], [after, spreadAfter]) => {
    expect(changeOf({ value: before, spread: spreadBefore }, { value: after, spread: spreadAfter })).toBe(
      expected,
    )
  })
})
