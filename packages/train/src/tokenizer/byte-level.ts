/** The byte-level form of tokens: each of the 256 bytes is written as one printable character. So any bytes
 *  make a JSON string without spaces. The map is GPT-2's. A printable Latin-1 byte stands for itself. The
 *  other 68 bytes (controls, space, 0x7f–0xa0, 0xad) become U+0100, U+0101, … in byte order; a space is 'Ġ'.
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

/** The 256 bytes, ordered by the code of their character. Hugging Face's trainer numbers them in this
 *  order. */
export const byteOrder: readonly number[] = Array.from(byteOfCode).filter((byte) => byte >= 0)

/** Writes bytes in the byte-level form: ' the' → 'Ġthe'. */
export function toByteLevel(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += charOfByte[byte]
  return text
}

/** Bytes of a token in the byte-level form. Undefined if a character stands for no byte. */
export function fromByteLevel(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfCode[token.charCodeAt(i)] ?? -1
    if (byte < 0) return undefined
    bytes[i] = byte
  }
  return bytes
}

/** Whether the text of a special token is also the byte-level form of other bytes. Example: 'é' is the
 *  character for the single byte 0xe9, but as text it is 0xc3 0xa9. In a vocabulary the two tokens would have
 *  the same name. */
export function isAmbiguousToken(content: string): boolean {
  const bytes = fromByteLevel(content)
  return bytes?.some((byte) => byte > 0x7e || byte < 0x21) ?? false
}
