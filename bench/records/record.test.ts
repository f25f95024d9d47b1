import { describe, expect, it } from 'vitest'
import { type BenchRecord, figuresOf, parseRecord, recordOf } from './record.ts'

const record = recordOf('npm run bench -- blas', { 'blas/ratio_vs_openblas': 0.95 }, { peer: 'absent' })
const parse = (json: unknown) => parseRecord(JSON.stringify(json), 'file.json')

describe('a record', () => {
  it('says what was measured, when and on what, and survives its file', () => {
    expect(record.commit).toMatch(/^([0-9a-f]{40}(-dirty)?|unknown)$/)
    expect(new Date(record.date).toISOString()).toBe(record.date)
    expect(record.memoryBytes).toBeGreaterThan(2 ** 20)
    expect(parse(record)).toEqual(record)
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
      [{ skipped: { a: 1 } }, 'file.json must have a text as a of skipped, got 1'],
    ]
    for (const [change, message] of wrong) expect(() => parse({ ...record, ...change })).toThrow(message)
    expect(() => parse([])).toThrow('file.json must be an object, got []')
    expect(() => parseRecord('{"commit": ', 'file.json')).toThrow(
      'bench: file.json must be JSON, got SyntaxError',
    )
  })
})

describe('figures of several records', () => {
  const of = (command: string, metrics: BenchRecord['metrics'], adapter?: string): BenchRecord => ({
    ...record,
    ...{ command, metrics },
    ...(adapter !== undefined && { adapter }),
  })

  it('are all of theirs', () => {
    expect(figuresOf([of('one', { a: 1 }), of('two', { b: 2 })])).toEqual([{ metrics: { a: 1, b: 2 } }])
  })

  it('may not have a figure in two of them', () => {
    const both = [of('one', { a: 1 }), of('two', { b: 2 }), of('three', { a: 3 }, 'Abacus')]
    expect(() => figuresOf(both)).toThrow(/must be in one file only, got a in two;.*\n {2}one .*\n {2}three /)
  })

  it('of GPUs are kept apart by their adapters', () => {
    const records = [of('one', { a: 1, 'gpu/b': 2 }, 'Abacus'), of('two', { 'gpu/b': 3 }, 'Brunsviga')]
    expect(figuresOf(records)).toEqual([
      { metrics: { a: 1 } },
      { adapter: 'Abacus', metrics: { 'gpu/b': 2 } },
      { adapter: 'Brunsviga', metrics: { 'gpu/b': 3 } },
    ])
    expect(() => figuresOf([...records, of('three', { 'gpu/b': 4 }, 'Abacus')])).toThrow(
      /got gpu\/b in two of Abacus;.*\n {2}one .*\n {2}three [^\n]*$/,
    )
  })
})
