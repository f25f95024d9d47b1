import { decodeFloats, FLOAT_BYTES, type FloatType, FormatError } from '@tau/tensor'
import type { DenseMatrix } from '../dense.ts'
import { checkEmbeddings } from './numbers.ts'

const OP = 'npy'
const TYPES: Record<string, FloatType> = { '<f2': 'F16', '<f4': 'F32', '<f8': 'F64' }

/** A .npy file (format 1 to 3; float16, 32 or 64, little-endian; C or Fortran order; shape (rows, columns)) → matrix.
 *  Throws FormatError when the header cannot be read or the data are not exactly as long as it says. */
export const parseNpy = (bytes: Uint8Array): DenseMatrix => {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new FormatError(
      `${OP}: must start with \\x93NUMPY, got ${bytes.length} bytes that do not; save it with numpy.save`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6]
  const lengthBytes = version === 1 ? 2 : 4
  const start = 8 + lengthBytes
  const headerLength =
    bytes.length < start
      ? Number.POSITIVE_INFINITY
      : version === 1
        ? view.getUint16(8, true)
        : view.getUint32(8, true)
  if (version < 1 || version > 3 || start + headerLength > bytes.length) {
    throw new FormatError(
      `${OP}: the header must fit the file, got version ${version}, ${headerLength} header bytes in ${bytes.length}; it is truncated`,
    )
  }
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + headerLength))
  const descr = field(header, /'descr'\s*:\s*'([^']*)'/)
  const fortran = field(header, /'fortran_order'\s*:\s*(True|False)/)
  const shape = field(header, /'shape'\s*:\s*\(([\d,\s]*)\)/)
  const type = TYPES[descr]
  if (!type)
    throw new FormatError(`${OP}: dtype must be <f2, <f4 or <f8, got ${descr}; convert with .astype('<f4')`)
  const sizes = shape.split(',').flatMap((size) => (size.trim() ? [Number(size)] : []))
  if (sizes.length !== 2)
    throw new FormatError(`${OP}: shape must be (rows, columns), got (${shape}); reshape it`)
  const [rows, cols] = sizes
  const data = bytes.subarray(start + headerLength)
  if (rows * cols * FLOAT_BYTES[type] !== data.length) {
    throw new FormatError(
      `${OP}: shape (${rows}, ${cols}) of ${descr} needs ${rows * cols * FLOAT_BYTES[type]} bytes, got ${data.length}; it is damaged`,
    )
  }
  const values = decodeFloats(data, type)
  return checkEmbeddings(OP, { data: fortran === 'True' ? rowMajor(values, rows, cols) : values, rows, cols })
}

const field = (header: string, pattern: RegExp): string => {
  const match = pattern.exec(header)
  if (!match) {
    throw new FormatError(
      `${OP}: the header must have descr, fortran_order and shape, got "${header.slice(0, 80)}"`,
    )
  }
  return match[1]
}

const rowMajor = <T extends Float64Array | Float32Array>(values: T, rows: number, cols: number): T => {
  const out = values.slice() as T
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[i * cols + j] = values[j * rows + i]
  return out
}
