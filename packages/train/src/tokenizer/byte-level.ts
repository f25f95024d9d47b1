/** Byte-level form of tokens: each of the 256 bytes is written as one printable character, so that a token of any
 *  bytes is a JSON string without spaces. The map is GPT-2's: printable Latin-1 bytes stand for themselves, the
 *  other 68 (controls, space, 0x7f–0xa0, 0xad) become U+0100, U+0101, … in byte order; a space is written 'Ġ'.
 *  Source: https://github.com/openai/gpt-2, bytes_to_unicode. */

const isPrintable = (byte: number) =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae

const { charOfByte, byteOfCode } = (() => {
  const chars: string[] = []
  const bytes = new Int16Array(0x100 + 68).fill(-1)
  let shifted = 0x100
  for (let byte = 0; byte < 256; byte++) {
    const code = isPrintable(byte) ? byte : shifted++
    chars.push(String.fromCharCode(code))
    bytes[code] = byte
  }
  return { charOfByte: chars as readonly string[], byteOfCode: bytes }
})()

/** The 256 bytes in the order in which Hugging Face's trainer numbers them: by the code of their character. */
export const byteOrder: readonly number[] = Array.from(byteOfCode).filter((byte) => byte >= 0)

/** Writes bytes in the byte-level form: ' the' → 'Ġthe'. */
export function toByteLevel(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += charOfByte[byte]
  return text
}

/** Bytes of a token in the byte-level form, or undefined where a character stands for no byte. */
export function fromByteLevel(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfCode[token.charCodeAt(i)] ?? -1
    if (byte < 0) return undefined
    bytes[i] = byte
  }
  return bytes
}

/** Whether a special token's text would also read as the byte-level form of other bytes: 'é' is the character for
 *  the lone byte 0xe9, while as text it is 0xc3 0xa9. Such a token could not be told apart in a vocabulary. */
export function isAmbiguousToken(content: string): boolean {
  const bytes = fromByteLevel(content)
  return bytes?.some((byte) => byte > 0x7e || byte < 0x21) ?? false
}
