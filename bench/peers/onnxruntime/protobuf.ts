// The part of protobuf's wire format that an ONNX model needs
// (https://protobuf.dev/programming-guides/encoding). A message is a list of fields. A field is a key, which
// holds the field's number and its wire type, and then the content.

const VARINT = 0
/** The content is its length in bytes, then the bytes: texts, messages. */
const LENGTH_DELIMITED = 2

/** A whole number ≥ 0 in base 128, lowest digit first. Every byte but the last has its highest bit set. */
export function varint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`protobuf: an integer must be whole and at least 0, got ${value}`)
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Uint8Array.from([...bytes, rest])
}

const key = (field: number, wireType: number): Uint8Array => varint(field * 8 + wireType)

/** A field that is an integer. */
export const integerField = (field: number, value: number): Uint8Array =>
  Buffer.concat([key(field, VARINT), varint(value)])

const bytesField = (field: number, content: Uint8Array): Uint8Array =>
  Buffer.concat([key(field, LENGTH_DELIMITED), varint(content.length), content])

/** A field that is a text, in UTF-8. */
export const textField = (field: number, text: string): Uint8Array => bytesField(field, Buffer.from(text))

/** A field that is a message. */
export const messageField = (field: number, ...content: readonly Uint8Array[]): Uint8Array =>
  bytesField(field, Buffer.concat(content))
