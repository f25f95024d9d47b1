import { FormatError } from '../errors.ts'

/** Decodes strict UTF-8 and removes a byte order mark. Throws FormatError with the offset of the first
 *  invalid bytes. `what` begins the error with the operation and the name of the bytes: `jsonl: the text`. */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    const at = firstInvalidUtf8(bytes)
    const found = Array.from(bytes.subarray(at, at + 4), (byte) => byte.toString(16).padStart(2, '0'))
    throw new FormatError(
      `${what} must be UTF-8, got bytes ${found.join(' ')} at offset ${at}; convert the file to UTF-8`,
      { cause: error },
    )
  }
}

/** Offset of the first ill-formed UTF-8 sequence (Unicode 16, table 3-7); the length if there is none. */
export function firstInvalidUtf8(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at)
    if (length === 0) return at
    at += length
  }
  return at
}

/** Length of the well-formed sequence at an offset; 0 if it is ill-formed or truncated. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]
  const length = lengthOfLead(lead)
  if (at + length > bytes.length) return 0
  for (let i = 1; i < length; i++) if (bytes[at + i] >> 6 !== 0b10) return 0
  // The second byte has a narrower range, because otherwise the sequence would be overlong, a surrogate, or
  // above U+10FFFF.
  const second = bytes[at + 1]
  if (lead === 0xe0 && second < 0xa0) return 0
  if (lead === 0xed && second > 0x9f) return 0
  if (lead === 0xf0 && second < 0x90) return 0
  if (lead === 0xf4 && second > 0x8f) return 0
  return length
}

function lengthOfLead(lead: number): number {
  if (lead < 0x80) return 1
  if (lead >= 0xc2 && lead <= 0xdf) return 2
  if (lead >= 0xe0 && lead <= 0xef) return 3
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0
}
