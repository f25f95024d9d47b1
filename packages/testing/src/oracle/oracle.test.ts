import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readGroups } from './files.ts'
import { Fields, parseGroup } from './index.ts'
import { expectOracle } from './matches.ts'

const file = (change: object = {}) => ({
  group: 'rope',
  seed: 1,
  cases: [{ name: 'one', inputs: { start: 3 }, expected: { out: { shape: [], data: [1] } }, tolerance: {} }],
  ...change,
})

describe('parseGroup', () => {
  it('reads the cases of a file', () => {
    const { group, seed, cases } = parseGroup('rope.json', JSON.stringify(file()))
    expect([group, seed, cases.length]).toEqual(['rope', 1, 1])
    expect(cases[0].inputs.number('start')).toBe(3)
    expect(cases[0].expected).toEqual({ out: { shape: [], data: [1] } })
  })

  it.each([
    ['text that is not JSON', '{"group": ', 'oracle: rope.json must be JSON, got '],
    ['no object', '[]', 'oracle: rope.json must be an object, got []'],
    ['no cases', JSON.stringify(file({ cases: {} })), 'oracle: rope.json.cases must be a list'],
    ['no name', JSON.stringify(file({ cases: [{}] })), 'rope.json.cases[0].name must be text, got undefined'],
    ['no seed', JSON.stringify(file({ seed: '1' })), 'oracle: rope.json.seed must be a number, got "1"'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseGroup('rope.json', text)).toThrow(message)
  })
})

describe('Fields', () => {
  const fields = new Fields({ x: { shape: [2, 3], data: [1, 2, 3, 4, 5] }, y: 7, clip: null }, 'inputs')

  it('refuses an array whose elements do not fill its shape, and a value that is not an array', () => {
    expect(() => fields.array('x')).toThrow('oracle: inputs.x of shape [2,3] must have 6 elements, got 5')
    expect(() => fields.array('y')).toThrow('oracle: inputs.y must be an array {shape, data}')
  })

  it('reads null as a missing number', () => {
    expect([fields.optionalNumber('clip'), fields.optionalNumber('y')]).toEqual([undefined, 7])
    expect(() => fields.number('clip')).toThrow('oracle: inputs.clip must be a number, got null')
  })
})

describe('readGroups', () => {
  it('refuses a group that two files hold', () => {
    const folder = mkdtempSync(join(tmpdir(), 'oracle-'))
    try {
      for (const name of ['a.json', 'b.json']) writeFileSync(join(folder, name), JSON.stringify(file()))
      expect(() => readGroups(folder)).toThrow(`one file in ${folder}, got rope again in b.json`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('expectOracle', () => {
  const expected = { out: { shape: [2], data: [1, 2] } }
  const tolerance = { out: { f64: 1e-9, f32: 1e-4 } }

  it('takes the bound of the arithmetic', () => {
    expectOracle({ out: [1, 2.00005] }, expected, tolerance)
    expect(() => expectOracle({ out: [1, 2.0002] }, expected, tolerance)).toThrow(
      'out: expectNear: element 1',
    )
    expect(() => expectOracle({ out: [1, 2.00005] }, expected, tolerance, 'f64')).toThrow('out: expectNear')
    expect(() => expectOracle({ out: [1] }, expected, tolerance)).toThrow('lengths must be equal')
  })

  it('requires arrays without a bound to be equal', () => {
    const integers = { row: { shape: [2], data: [0, 3] } }
    expectOracle({ row: [0, 3] }, integers, {})
    expect(() => expectOracle({ row: [0, 2] }, integers, {})).toThrow('row: expectNear: element 1')
  })
})
