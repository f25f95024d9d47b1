import type { DenseMatrix } from '../dense.ts'
import { FormatError } from '../errors.ts'

/** Element types that embedding files may have. */
export type FloatType = 'F16' | 'BF16' | 'F32' | 'F64'

export const BYTES_OF: Record<FloatType, number> = { F16: 2, BF16: 2, F32: 4, F64: 8 }

/** Little-endian floats → typed array: Float64Array for F64, Float32Array (exact) for all narrower types. */
export const decodeFloats = (bytes: Uint8Array, type: FloatType): Float64Array | Float32Array => {
  const copy = Uint8Array.from(bytes).buffer // aligned; all platforms that run JavaScript today are little-endian
  if (type === 'F64') return new Float64Array(copy)
  if (type === 'F32') return new Float32Array(copy)
  const halves = new Uint16Array(copy)
  if (type === 'BF16') return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer)
  return Float32Array.from(halves, halfToNumber)
}

/** IEEE binary16 → number. */
const halfToNumber = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Checks that a file's matrix has rows, columns, and only finite elements. */
export const checkEmbeddings = (op: string, x: DenseMatrix): DenseMatrix => {
  if (x.rows < 1 || x.cols < 1) {
    throw new FormatError(
      `${op}: embeddings need at least one row and one column, got [${x.rows}, ${x.cols}]`,
    )
  }
  const bad = x.data.findIndex((v) => !Number.isFinite(v))
  if (bad >= 0) {
    throw new FormatError(
      `${op}: every element must be finite, got ${x.data[bad]} at row ${Math.floor(bad / x.cols)}, column ${bad % x.cols}`,
    )
  }
  return x
}
