/** The safetensors format: 8 bytes of little-endian header length, a JSON header, then raw little-endian data.
 *  Source: https://github.com/huggingface/safetensors, section Format. */

/** Element types that can be read; floats of other widths are converted to f32. */
const ELEMENT_SIZES = { F64: 8, F32: 4, F16: 2, BF16: 2, I32: 4 } as const
type ElementType = keyof typeof ELEMENT_SIZES

const isElementType = (text: unknown): text is ElementType =>
  typeof text === 'string' && text in ELEMENT_SIZES

/** One array of a file: f32 for every float type, i32 for I32. */
export interface NamedArray {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, NamedArray>
  readonly metadata: Readonly<Record<string, string>>
}

// The format's own limit; a longer header is an attack or not a safetensors file.
const MAX_HEADER_BYTES = 100_000_000

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** Bytes of a safetensors file, tensors in the order of the map, data aligned to 8 bytes. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {}
  let offset = 0
  for (const [name, { shape, data }] of tensors) {
    const dtype = data instanceof Int32Array ? 'I32' : 'F32'
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] }
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

/** Reads a safetensors file. Everything the header says is checked before memory is taken: its length, JSON, element types,
 *  shapes, and that the arrays cover the data exactly, without gap or overlap.
 *  @param source names the file in errors */
export function decodeSafetensors(bytes: Uint8Array, source = 'safetensors'): SafetensorsFile {
  const fail = (rule: string, got: unknown): never => {
    throw new Error(`${source}: ${rule}, got ${got}; the file is damaged or not safetensors`)
  }
  if (bytes.length < 8) return fail('a safetensors file must have at least 8 bytes', bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerLength = Number(view.getBigUint64(0, true))
  if (headerLength > Math.min(MAX_HEADER_BYTES, bytes.length - 8))
    return fail(`header must fit in the file's ${bytes.length} bytes`, `a header of ${headerLength}`)
  const header = parseHeader(bytes.subarray(8, 8 + headerLength), fail)
  const data = bytes.subarray(8 + headerLength)

  const metadata: Record<string, string> = {}
  const entries: { name: string; dtype: ElementType; shape: number[]; begin: number; end: number }[] = []
  for (const [name, entry] of Object.entries(header)) {
    if (!isRecord(entry)) return fail(`entry "${name}" must be an object`, JSON.stringify(entry))
    if (name === '__metadata__') {
      for (const [key, value] of Object.entries(entry))
        if (typeof value === 'string') metadata[key] = value
        else fail(`metadata "${key}" must be a string`, JSON.stringify(value))
      continue
    }
    const { dtype, shape, data_offsets: offsets } = entry
    if (!isElementType(dtype))
      return fail(
        `dtype of "${name}" must be one of ${Object.keys(ELEMENT_SIZES).join(', ')}`,
        JSON.stringify(dtype),
      )
    if (!Array.isArray(shape) || !shape.every(isCount))
      return fail(`shape of "${name}" must be a list of counts`, JSON.stringify(shape))
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
      return fail(`data_offsets of "${name}" must be two byte positions`, JSON.stringify(offsets))
    const [begin, end] = offsets
    const need = shape.reduce((size, axis) => size * axis, ELEMENT_SIZES[dtype])
    if (end > data.length || end - begin !== need)
      return fail(
        `data of "${name}" must be the ${need} bytes of ${dtype} [${shape.join(', ')}] inside the file's ${data.length}`,
        `bytes ${begin} to ${end}`,
      )
    entries.push({ name, dtype, shape, begin, end })
  }

  let covered = 0
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered)
      fail(`data of "${name}" must start where the array before it ends, at ${covered}`, begin)
    covered = end
  }
  if (covered !== data.length) fail(`arrays must cover the file's ${data.length} data bytes`, covered)

  const tensors = new Map<string, NamedArray>()
  for (const { name, dtype, shape, begin, end } of entries)
    tensors.set(name, { shape, data: decodeArray(dtype, data.slice(begin, end).buffer) })
  return { tensors, metadata }
}

function parseHeader(
  bytes: Uint8Array,
  fail: (rule: string, got: unknown) => never,
): Record<string, unknown> {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return fail('header must be JSON', error instanceof Error ? error.message : error)
  }
  return isRecord(header) ? header : fail('header must be a JSON object', JSON.stringify(header))
}

function decodeArray(dtype: ElementType, buffer: ArrayBuffer): Float32Array | Int32Array {
  switch (dtype) {
    case 'I32':
      return new Int32Array(buffer)
    case 'F32':
      return new Float32Array(buffer)
    case 'F64':
      return Float32Array.from(new Float64Array(buffer))
    case 'BF16':
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer)
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer), halfToFloat)
  }
}

/** IEEE 754 binary16. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
