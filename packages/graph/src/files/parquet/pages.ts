import { snappyUncompress } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'

/** What the footer says about a column chunk. */
export interface ChunkPlace {
  name: string
  codec: string
  type: string
  /** number of values, nulls included */
  count: number
  levels: { repetition: number; definition: number }
}

type Fail = (rule: string) => never

// A Snappy copy of 64 bytes takes 3 bytes, so no data compress further than 64 / 3.
const MAX_SNAPPY_RATIO = 22

/** Walks the pages of a column chunk and checks every number that the reader will trust. */
export const checkPages = (chunk: Uint8Array, place: ChunkPlace, fail: Fail): void => {
  const { name, codec } = place
  if (codec !== 'SNAPPY' && codec !== 'UNCOMPRESSED') {
    fail(`column ${name} must be compressed with SNAPPY or not at all, got ${codec}`)
  }
  const reader = { view: new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength), offset: 0 }
  let seen = 0
  while (seen < place.count) {
    const header =
      nextHeader(reader) ??
      fail(`column ${name} must hold ${place.count} values, got ${seen} before its pages end`)
    const { compressed_page_size: size, uncompressed_page_size: full, type } = header
    const fits = isCount(size) && isCount(full) && reader.offset + size <= chunk.length
    if (!fits || full > MAX_SNAPPY_RATIO * size + 64) {
      fail(
        `pages of column ${name} must fit the ${chunk.length - reader.offset} bytes left, got sizes ${size}, ${full}`,
      )
    }
    const body = chunk.subarray(reader.offset, reader.offset + size)
    reader.offset += size
    if (type === 'DICTIONARY_PAGE') {
      const count = header.dictionary_page_header?.num_values ?? -1
      const page = decompress(body, full, codec, name, fail)
      if (!isCount(count) || count * plainBytes(place.type) > page.length) {
        fail(`the dictionary of column ${name} has ${page.length} bytes, too few for ${count} values`)
      }
    } else if (type === 'DATA_PAGE' && header.data_page_header) {
      const { num_values: count, encoding } = header.data_page_header
      checkCount(count, place, seen, fail)
      checkDataPage(decompress(body, full, codec, name, fail), count, encoding, place, fail)
      seen += count
    } else if (type === 'DATA_PAGE_V2' && header.data_page_header_v2) {
      const page = header.data_page_header_v2
      checkCount(page.num_values, place, seen, fail)
      checkDataPageV2(body, full, page, place, fail)
      seen += page.num_values
    } else {
      fail(`pages of column ${name} must be data or dictionary pages, got ${type}`)
    }
  }
}

const nextHeader = (reader: {
  view: DataView
  offset: number
}): ReturnType<typeof parquetHeader> | undefined => {
  try {
    return parquetHeader(reader)
  } catch {
    return undefined // the bytes ended, or they are not a header
  }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

const checkCount = (count: number, place: ChunkPlace, seen: number, fail: Fail): void => {
  if (!isCount(count) || count === 0 || seen + count > place.count) {
    fail(`column ${place.name} must hold ${place.count} values, got a page of ${count} after ${seen}`)
  }
}

const decompress = (body: Uint8Array, full: number, codec: string, name: string, fail: Fail): Uint8Array => {
  if (codec === 'UNCOMPRESSED') {
    if (body.length !== full) fail(`a page of column ${name} must have ${full} bytes, got ${body.length}`)
    return body
  }
  const page = new Uint8Array(full)
  try {
    if (full > 0) snappyUncompress(body, page)
  } catch (error) {
    return fail(`a page of column ${name} must be readable Snappy, got "${(error as Error).message}"`)
  }
  return page
}

/** Checks a data page of version 1: [repetition levels] [definition levels] values. Each part of levels
 *  starts with a 4-byte length, and all is compressed together. */
const checkDataPage = (
  page: Uint8Array,
  count: number,
  encoding: string,
  place: ChunkPlace,
  fail: Fail,
): void => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
  let at = 0
  for (const level of [place.levels.repetition, place.levels.definition]) {
    if (level === 0) continue
    const length = at + 4 <= page.length ? view.getUint32(at, true) : -1
    if (length < 0 || at + 4 + length > page.length)
      fail(`levels of column ${place.name} must fit their page`)
    checkRuns(page, at + 4, at + 4 + length, bitWidth(level), count, place.name, fail)
    at += 4 + length
  }
  checkValues(page.subarray(at), count, encoding, place, fail)
}

interface PageV2 {
  num_values: number
  encoding: string
  repetition_levels_byte_length: number
  definition_levels_byte_length: number
  is_compressed?: boolean
}

/** Checks a data page of version 2. The levels come first, uncompressed; their lengths are in the header. */
const checkDataPageV2 = (
  body: Uint8Array,
  full: number,
  page: PageV2,
  place: ChunkPlace,
  fail: Fail,
): void => {
  const repetition = page.repetition_levels_byte_length
  const definition = page.definition_levels_byte_length
  const levels = repetition + definition
  if (!isCount(repetition) || !isCount(definition) || levels > body.length || levels > full) {
    fail(`levels of column ${place.name} must fit their page, got ${repetition} and ${definition} bytes`)
  }
  const { levels: depth, name } = place
  if (depth.repetition)
    checkRuns(body, 0, repetition, bitWidth(depth.repetition), page.num_values, name, fail)
  if (depth.definition)
    checkRuns(body, repetition, levels, bitWidth(depth.definition), page.num_values, name, fail)
  const rest = body.subarray(levels)
  const codec = page.is_compressed === false ? 'UNCOMPRESSED' : place.codec
  checkValues(decompress(rest, full - levels, codec, name, fail), page.num_values, page.encoding, place, fail)
}

const checkValues = (
  data: Uint8Array,
  count: number,
  encoding: string,
  { name, type, levels }: ChunkPlace,
  fail: Fail,
): void => {
  switch (encoding) {
    case 'PLAIN':
    case 'BYTE_STREAM_SPLIT':
      // with nulls there are fewer values than `count`; then the reader itself checks the end of the page
      if (levels.definition === 0 && count * plainBytes(type) > data.length) {
        fail(`a page of column ${name} has ${data.length} bytes, too few for ${count} values`)
      }
      return
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      if (data.length === 0 || data[0] > 32) {
        fail(`dictionary indices of column ${name} must have at most 32 bits, got ${data[0]}`)
      }
      checkRuns(data, 1, data.length, data[0], count, name, fail)
      return
    default:
      fail(`column ${name} must be encoded as PLAIN, RLE_DICTIONARY or BYTE_STREAM_SPLIT, got ${encoding}`)
  }
}

/** Fewest bytes of one value in PLAIN encoding. */
const plainBytes = (type: string): number =>
  ({ BOOLEAN: 1 / 8, INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8, BYTE_ARRAY: 4 })[type] ?? 1

const bitWidth = (value: number): number => 32 - Math.clz32(value)

/** Checks the runs of the RLE / bit-packed hybrid in the bytes [at, end). A run must not reach beyond `count`
 *  values; a bit-packed run may reach the next multiple of 8. */
const checkRuns = (
  bytes: Uint8Array,
  at: number,
  end: number,
  width: number,
  count: number,
  name: string,
  fail: Fail,
): void => {
  let seen = 0
  while (seen < count && at < end) {
    let header = 0
    let shift = 0
    for (;;) {
      if (at >= end || shift > 28) fail(`run headers of column ${name} must be whole and below 2^31`)
      const byte = bytes[at++]
      header += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
      shift += 7
    }
    const packed = header % 2 === 1
    const length = packed ? Math.floor(header / 2) * 8 : Math.floor(header / 2)
    seen += length
    at += packed ? (length / 8) * width : Math.ceil(width / 8)
    if (length === 0 || seen > count + (packed ? 7 : 0)) {
      fail(
        `a run of column ${name} must end within its ${count} values, got one of ${length} that ends at ${seen}`,
      )
    }
  }
}
