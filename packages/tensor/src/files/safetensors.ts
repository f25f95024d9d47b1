/** The safetensors format: 8 bytes of little-endian header length, a JSON header, then raw little-endian data.
 *  Source: https://github.com/huggingface/safetensors, section Format. */
import { FormatError, shapeText } from '../errors.ts'
import { decodeFloats, FLOAT_BYTES, type FloatType } from './floats.ts'

/** Element types that can be read. */
const READABLE = { ...FLOAT_BYTES, I32: 4 } as const
/** Bytes per element of all types of the format that take whole bytes. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  ...READABLE,
  ...{ F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1, BOOL: 1, I8: 1, U8: 1 },
  ...{ I16: 2, U16: 2, U32: 4, I64: 8, U64: 8, C64: 8 },
}

/** One array of a file: f64 for F64, f32 for narrower float types, i32 for I32. */
export interface NamedArray {
  readonly shape: readonly number[]
  readonly data: Float32Array | Float64Array | Int32Array
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, NamedArray>
  readonly metadata: Readonly<Record<string, string>>
}

/** One tensor in the header. Its type may be one that cannot be decoded. */
export interface SafetensorsEntry {
  readonly dtype: string
  readonly shape: readonly number[]
}

/** An entry and the range of its data in the file, in bytes. */
export interface SafetensorsPlace extends SafetensorsEntry {
  readonly begin: number
  readonly end: number
}

/** A file with a checked header. Its tensors are decoded one by one. */
export interface SafetensorsView {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly metadata: Readonly<Record<string, string>>
  /** A copy of one tensor. Throws FormatError if the element type is not F64, F32, F16, BF16 or I32. */
  decode(name: string): NamedArray
}

// The format's own limit. A longer header is an attack, or the file is not safetensors.
const MAX_HEADER_BYTES = 100_000_000

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

const isReadable = (dtype: string): dtype is FloatType | 'I32' => Object.hasOwn(READABLE, dtype)

/** A value of the header, shortened for messages. */
const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80)

/** Encodes a safetensors file, with the tensors in the order of the map. The data begin at a multiple of 8
 *  bytes. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {}
  let offset = 0
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: dtypeOf(data), shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const headerLength = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + headerLength + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true)
  bytes.fill(0x20, 8, 8 + headerLength) // the format pads with spaces
  bytes.set(json, 8)
  let at = 8 + headerLength
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return bytes
}

function dtypeOf(data: NamedArray['data']): 'F32' | 'F64' | 'I32' {
  if (data instanceof Int32Array) return 'I32'
  return data instanceof Float64Array ? 'F64' : 'F32'
}

/** Reads all tensors of a safetensors file, with the checks of {@link openSafetensors}.
 *  @param source names the file in errors */
export function decodeSafetensors(bytes: Uint8Array, source = 'safetensors'): SafetensorsFile {
  const { entries, metadata, decode } = openSafetensors(bytes, source)
  return { tensors: new Map(Array.from(entries.keys(), (name) => [name, decode(name)])), metadata }
}

/** Reads the header of a safetensors file, with the checks of {@link safetensorsHeader}. Tensors are decoded
 *  on demand.
 *  @param source names the file in errors */
export function openSafetensors(bytes: Uint8Array, source = 'safetensors'): SafetensorsView {
  const { entries, metadata } = safetensorsHeader(bytes, bytes.length, source)
  return {
    entries,
    metadata,
    decode(name) {
      const entry = entries.get(name)
      if (!entry)
        throw new FormatError(
          `${source}: the file must hold the requested tensor, got no ${shown(name)}; use a name from its entries`,
        )
      const { dtype, shape, begin, end } = entry
      if (!isReadable(dtype))
        throw new FormatError(
          `${source}: dtype of "${name}" must be one of ${Object.keys(READABLE).join(', ')}, got "${dtype}"; convert it`,
        )
      const part = bytes.subarray(begin, end)
      return {
        shape,
        data: dtype === 'I32' ? new Int32Array(Uint8Array.from(part).buffer) : decodeFloats(part, dtype),
      }
    },
  }
}

/** The number of bytes up to the end of the header, read from the first 8 bytes of the file; for
 *  {@link safetensorsHeader}. Throws FormatError. */
export function safetensorsHeaderBytes(start: Uint8Array, size: number, source = 'safetensors'): number {
  const fail = failing(source)
  if (start.length < 8) return fail('a safetensors file must have at least 8 bytes', start.length)
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  const length = Number(view.getBigUint64(0, true))
  if (length > Math.min(MAX_HEADER_BYTES, size - 8))
    return fail(`header must fit in the file's ${size} bytes`, `a header of ${length}`)
  return 8 + length
}

/** The checked content of the header. Checks its length, JSON, shapes and sizes, and that the arrays cover
 *  the data exactly, without gap or overlap. Every check comes before memory is allocated. Throws
 *  FormatError.
 *  @param start the file, or its beginning with the whole header
 *  @param size bytes of the file
 *  @param source names the file in errors */
export function safetensorsHeader(
  start: Uint8Array,
  size: number,
  source = 'safetensors',
): { entries: ReadonlyMap<string, SafetensorsPlace>; metadata: Readonly<Record<string, string>> } {
  const fail = failing(source)
  const headerEnd = safetensorsHeaderBytes(start, size, source)
  const { __metadata__: metadata, ...header } = parseHeader(start.subarray(8, headerEnd), fail)
  const entries = new Map<string, SafetensorsPlace>()
  for (const [name, entry] of Object.entries(header))
    entries.set(name, checkEntry(name, entry, size - headerEnd, fail))
  checkCover(entries, size - headerEnd, fail)
  for (const [name, { begin, end, ...entry }] of entries)
    entries.set(name, { ...entry, begin: headerEnd + begin, end: headerEnd + end })
  return { entries, metadata: checkMetadata(metadata, fail) }
}

const failing =
  (source: string): Fail =>
  (rule, got) => {
    throw new FormatError(`${source}: ${rule}, got ${got}; the file is damaged or not safetensors`)
  }

type Fail = (rule: string, got: unknown) => never

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return fail('header must be JSON', error instanceof Error ? error.message : error)
  }
  return isRecord(header) ? header : fail('header must be a JSON object', shown(header))
}

function checkMetadata(metadata: unknown, fail: Fail): Record<string, string> {
  if (metadata === undefined) return {}
  if (!isRecord(metadata)) return fail('metadata must be an object', shown(metadata))
  const texts = Object.entries(metadata).map(([key, value]): [string, string] =>
    typeof value === 'string' ? [key, value] : fail(`metadata "${key}" must be a string`, shown(value)),
  )
  return Object.fromEntries(texts)
}

function checkEntry(name: string, entry: unknown, dataLength: number, fail: Fail): SafetensorsPlace {
  if (!isRecord(entry)) return fail(`entry "${name}" must be an object`, shown(entry))
  const { dtype, shape, data_offsets: offsets } = entry
  if (typeof dtype !== 'string') return fail(`dtype of "${name}" must be a name`, shown(dtype))
  if (!Array.isArray(shape) || !shape.every(isCount))
    return fail(`shape of "${name}" must be a list of counts`, shown(shape))
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return fail(`data_offsets of "${name}" must be two byte positions`, shown(offsets))
  const [begin, end] = offsets
  // A type that is not in the table cannot be decoded. Only the place of its data is checked.
  const size = Object.hasOwn(ELEMENT_BYTES, dtype) ? ELEMENT_BYTES[dtype] : undefined
  const need =
    size === undefined
      ? Math.max(0, end - begin)
      : shape.reduce((bytes: number, axis: number) => bytes * axis, size)
  if (begin > end || end > dataLength || end - begin !== need)
    return fail(
      `data of "${name}" must be the ${need} bytes of ${dtype} ${shapeText(shape).slice(0, 80)} inside the file's ${dataLength}`,
      `bytes ${begin} to ${end}`,
    )
  return { dtype, shape, begin, end }
}

function checkCover(entries: ReadonlyMap<string, SafetensorsPlace>, dataLength: number, fail: Fail): void {
  const sorted = [...entries].toSorted(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const [name, { begin, end }] of sorted) {
    if (begin !== covered)
      fail(`data of "${name}" must start where the array before it ends, at ${covered}`, begin)
    covered = end
  }
  if (covered !== dataLength) fail(`arrays must cover the file's ${dataLength} data bytes`, covered)
}
