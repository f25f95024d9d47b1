import { FormatError } from '@tau/tensor'
import { decodeFloats, type FileParts, FLOAT_BYTES, type FloatType } from '@tau/tensor/files'
import { type BlockBuffer, blockBytes, blockRows, type RowBlock } from '../source.ts'

/** The place of a matrix of little-endian floats in a file. */
export interface RawRows {
  type: FloatType
  rows: number
  cols: number
  /** byte of its first element */
  start: number
  /** 'columns': the elements of a column lie side by side, as in Fortran */
  order: 'rows' | 'columns'
}

/** The blocks of such a matrix. The next block is read while the caller works on the current one. */
export async function* rawBlocks(
  op: string,
  parts: FileParts,
  raw: RawRows,
  memoryBytes: number,
  buffer: BlockBuffer = (bytes) => new Uint8Array(bytes),
): AsyncGenerator<RowBlock> {
  const { type, rows, cols } = raw
  const rowBytes = cols * FLOAT_BYTES[type]
  const most = blockRows(memoryBytes, rowBytes)
  if (most < 1) {
    throw new FormatError(
      `${op}: a block of ${blockBytes(memoryBytes)} bytes must hold a row, got rows of ${rowBytes}; raise the memory`,
    )
  }
  const count = Math.min(most, rows)
  const buffers = [0, 1].map(() => buffer(count * rowBytes))
  const start = (first: number, which: number) => {
    const reading = readRows(parts, raw, first, Math.min(count, rows - first), buffers[which])
    reading.catch(() => {}) // the error comes out when it is awaited, or the pass has ended before
    return reading
  }
  let reading = start(0, 0)
  for (let first = 0, which = 0; first < rows; first += count, which = 1 - which) {
    await reading
    const held = Math.min(count, rows - first)
    if (first + held < rows) reading = start(first + held, 1 - which)
    const data = floats(buffers[which].subarray(0, held * rowBytes), type)
    yield { data, rows: held, cols, first, share: (first + held) / rows }
  }
  await reading
}

/** Reads the rows [first, first + count) into `target`, row-major. */
const readRows = async (
  parts: FileParts,
  { type, rows, cols, start, order }: RawRows,
  first: number,
  count: number,
  target: Uint8Array,
): Promise<void> => {
  const size = FLOAT_BYTES[type]
  if (order === 'rows')
    return parts.read(start + first * cols * size, target.subarray(0, count * cols * size))
  const column = new Uint8Array(count * size)
  for (let j = 0; j < cols; j++) {
    await parts.read(start + (j * rows + first) * size, column)
    for (let i = 0; i < count; i++)
      for (let byte = 0; byte < size; byte++) target[(i * cols + j) * size + byte] = column[i * size + byte]
  }
}

/** The numbers in these bytes: a view for F32 and F64, a decoded copy for narrower types. */
const floats = (bytes: Uint8Array, type: FloatType): Float32Array | Float64Array => {
  if (type === 'F32') return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  if (type === 'F64') return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)
  return decodeFloats(bytes, type)
}
