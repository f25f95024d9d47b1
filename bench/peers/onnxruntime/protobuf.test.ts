import { describe, expect, it } from 'vitest'
import { integerField, messageField, textField, varint } from './protobuf.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

// The examples of https://protobuf.dev/programming-guides/encoding.
describe('protobuf', () => {
  it.each([
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [150, '9601'],
    [2 ** 32, '8080808010'],
    [2 ** 53 - 1, 'ffffffffffffff0f'],
  ])('writes the integer %i', (value, expected) => {
    expect(hex(varint(value))).toBe(expected)
  })

  it('refuses what is no whole number of at least 0', () => {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 53])
      expect(() => varint(value)).toThrow(`an integer must be whole and at least 0, got ${value}`)
  })

  it('writes fields', () => {
    expect(hex(integerField(1, 150))).toBe('089601')
    expect(hex(textField(2, 'testing'))).toBe('120774657374696e67')
    expect(hex(messageField(3, integerField(1, 150)))).toBe('1a03089601')
    expect(hex(messageField(20, integerField(20, 2), textField(1, 'é')))).toBe('a20107a001020a02c3a9')
  })
})
