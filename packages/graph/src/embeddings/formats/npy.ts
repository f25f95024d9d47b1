import { FormatError } from '@tau/tensor'
import { type FileParts, FLOAT_BYTES, type FloatType } from '@tau/tensor/files'
import { bytesAt } from '../../files/bytes.ts'
import type { RawRows } from './raw-rows.ts'

const OP = 'npy'
const TYPES: Record<string, FloatType> = { '<f2': 'F16', '<f4': 'F32', '<f8': 'F64' }
/** Longest header. A real one is one line of text. */
const MAX_HEADER_BYTES = 2 ** 16

/** The place of the matrix in a .npy file. It takes format 1 to 3, float16, 32 or 64, little-endian, C or
 *  Fortran order, and shape (rows, columns).
 *  Throws FormatError if the header cannot be read, or if the data have another length than the header
 *  says. */
export const npyRows = async (parts: FileParts): Promise<RawRows> => {
  const { size } = parts
  const head = await bytesAt(parts, 0, Math.min(size, 12))
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY
  if (size < 10 || magic.some((byte, i) => head[i] !== byte)) {
    throw new FormatError(
      `${OP}: the file must start with \\x93NUMPY, got ${size} bytes that start otherwise; save it with numpy.save`,
    )
  }
  const view = new DataView(head.buffer)
  const version = head[6]
  const start = version === 1 ? 10 : 12
  const headerLength =
    size < start
      ? Number.POSITIVE_INFINITY
      : version === 1
        ? view.getUint16(8, true)
        : view.getUint32(8, true)
  if (version < 1 || version > 3 || start + headerLength > size || headerLength > MAX_HEADER_BYTES) {
    throw new FormatError(
      `${OP}: the header must fit in the file, got version ${version} and ${headerLength} header bytes in ${size}; the file is truncated`,
    )
  }
  const header = new TextDecoder('latin1').decode(await bytesAt(parts, start, headerLength))
  const descr = field(header, /'descr'\s*:\s*'([^']*)'/)
  const fortran = field(header, /'fortran_order'\s*:\s*(True|False)/)
  const shape = field(header, /'shape'\s*:\s*\(([\d,\s]*)\)/)
  const type = TYPES[descr]
  if (!type)
    throw new FormatError(`${OP}: dtype must be <f2, <f4 or <f8, got ${descr}; convert with .astype('<f4')`)
  const sizes = shape.split(',').flatMap((text) => (text.trim() ? [Number(text)] : []))
  if (sizes.length !== 2)
    throw new FormatError(`${OP}: shape must be (rows, columns), got (${shape}); reshape it`)
  const [rows, cols] = sizes
  const [needed, held] = [rows * cols * FLOAT_BYTES[type], size - start - headerLength]
  if (needed !== held) {
    throw new FormatError(
      `${OP}: shape (${rows}, ${cols}) of ${descr} needs ${needed} bytes, got ${held}; the file is damaged`,
    )
  }
  return { type, rows, cols, start: start + headerLength, order: fortran === 'True' ? 'columns' : 'rows' }
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
