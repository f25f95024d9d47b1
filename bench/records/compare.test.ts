import { describe, expect, it } from 'vitest'
import { compareRecords } from './compare.ts'
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
  skipped: {},
  ...more,
})

describe('compareRecords', () => {
  it('puts what both have side by side, with the ratio and where it comes from', () => {
    const before = record({ 'softcap/x/gb_per_s': 4, 'gone/ms': 1 })
    const after = record(
      { 'softcap/x/gb_per_s': 5, 'softcap/x/new': 1 },
      { commit: 'fedcba9876543210-dirty' },
    )
    expect(compareRecords(before, after)).toBe(
      [
        '| metric               | before | after | after / before |',
        '| -------------------- | ------ | ----- | -------------- |',
        '| `softcap/x/gb_per_s` | 4      | 5     | 1.25x          |',
        '',
        '`npm run bench -- kernels --filter softcap` on a processor, 2 cores, node 24; before: 012345678, after: fedcba987 with changes that are not committed.',
        '',
      ].join('\n'),
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
