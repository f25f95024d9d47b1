import { expect, it } from 'vitest'
import { byteOrder, fromByteLevel, isAmbiguousToken, toByteLevel } from './byte-level.ts'

const allBytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)

it('writes each byte as its own printable character and reads it back', () => {
  const text = toByteLevel(allBytes)
  expect(new Set(text).size).toBe(256)
  expect(text).not.toMatch(/[\s\p{C}]/u)
  expect(fromByteLevel(text)).toEqual(allBytes)
})

it('uses the characters of GPT-2', () => {
  // Space, newline and tab become U+0120, U+010A and U+0109: 0x100 plus the byte.
  expect(toByteLevel(Uint8Array.of(0x20, 0x0a, 0x09, 0x41, 0xe9))).toBe('ĠĊĉAé')
  // 0x7f is the 34th byte without a printable character, 0xad the last of 68.
  expect(toByteLevel(Uint8Array.of(0x7f, 0xad))).toBe('\u0121\u0143')
})

it('numbers bytes by the code of their character', () => {
  const codes = byteOrder.map((byte) => toByteLevel(Uint8Array.of(byte)).charCodeAt(0))
  expect(codes).toEqual([...codes].sort((a, b) => a - b))
  expect(new Set(byteOrder).size).toBe(256)
})

it.for(['a b', '\n', '白', '\u0144', '\u007f'])('finds no bytes for %j', (token) => {
  expect(fromByteLevel(token)).toBeUndefined()
})

it.for([
  ['<|endoftext|>', false],
  ['é', true],
  ['Ġthe', true],
  ['白', false],
  ['a b', false],
] as const)('takes %j as ambiguous: %s', ([token, expected]) => {
  expect(isAmbiguousToken(token)).toBe(expected)
})
