import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FormatError } from '../errors.ts'
import { decodeUtf8, firstInvalidUtf8 } from './utf8.ts'

/** Whether the platform's decoder accepts the bytes, possibly as the beginning of more. */
function isValid(bytes: Uint8Array, mayContinue: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: mayContinue })
    return true
  } catch {
    return false
  }
}

// Bytes at the edges of the valid ranges, and real characters of one to four bytes.
const bytes = fc
  .array(
    fc.oneof(
      fc
        .constantFrom(0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf)
        .map((b) => [b]),
      fc.constantFrom(0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff).map((b) => [b]),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).map((c) => [...new TextEncoder().encode(c)]),
    ),
    { maxLength: 11 },
  )
  .map((parts) => Uint8Array.from(parts.flat()))

it('finds where the platform decoder fails', () => {
  let invalid = 0
  fc.assert(
    fc.property(bytes, (input) => {
      const at = firstInvalidUtf8(input)
      expect(isValid(input.subarray(0, at), false)).toBe(true)
      expect(at === input.length).toBe(isValid(input, false))
      if (at === input.length) return
      invalid++
      // From the offset on there is no character: neither 1, 2, 3 nor 4 bytes make one.
      for (let n = 1; n <= 4 && at + n <= input.length; n++) {
        expect(isValid(input.subarray(at, at + n), false)).toBe(false)
      }
    }),
    { seed: 11, numRuns: 5000 },
  )
  expect(invalid).toBeGreaterThan(1000)
})

it.for([
  ['overlong', [0x61, 0xc0, 0xaf], 1],
  ['overlong in three bytes', [0xe0, 0x9f, 0xbf], 0],
  ['surrogate', [0x61, 0x62, 0xed, 0xa0, 0x80], 2],
  ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
  ['cut off', [0x61, 0xf0, 0x9f, 0x90], 1],
  ['lone continuation', [0xc3, 0xa9, 0x80], 2],
  ['none', [0xf4, 0x8f, 0xbf, 0xbf], 4],
] as const)('%s', ([, input, expected]) => {
  expect(firstInvalidUtf8(Uint8Array.from(input))).toBe(expected)
})

it('decodes without the byte order mark, or names the place', () => {
  const encode = (text: string) => new TextEncoder().encode(text)
  expect(decodeUtf8(encode('\ufeffČapek 山 🐋'), 'jsonl: text')).toBe('Čapek 山 🐋')
  const latin1 = Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x20)
  expect(() => decodeUtf8(latin1, 'jsonl: text')).toThrow(FormatError)
  expect(() => decodeUtf8(latin1, 'jsonl: text')).toThrow(
    'jsonl: text must be UTF-8, got bytes e9 20 at offset 3',
  )
})
