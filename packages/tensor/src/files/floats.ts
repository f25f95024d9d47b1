/** Float types of files and their bytes per element. The names are those of the safetensors format. */
export const FLOAT_BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2 } as const
export type FloatType = keyof typeof FLOAT_BYTES

/** Decodes little-endian floats at any alignment. Returns a copy: a Float64Array for F64, a Float32Array for
 *  all narrower types, without loss. */
export function decodeFloats(bytes: Uint8Array, type: FloatType): Float32Array | Float64Array {
  // The copy is aligned. Every platform that runs JavaScript today is little-endian.
  const { buffer } = Uint8Array.from(bytes)
  switch (type) {
    case 'F64':
      return new Float64Array(buffer)
    case 'F32':
      return new Float32Array(buffer)
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
