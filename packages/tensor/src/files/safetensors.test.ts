import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../errors.ts'
import { decodeSafetensors, encodeSafetensors, type NamedArray, openSafetensors } from './safetensors.ts'

const sample = (): Map<string, NamedArray> =>
  new Map([
    ['w', { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, Number.NaN, Number.POSITIVE_INFINITY, -0) }],
    ['ids', { shape: [3], data: Int32Array.of(7, -1, 2 ** 31 - 1) }],
    ['empty', { shape: [0, 5], data: new Float32Array(0) }],
    ['d', { shape: [2], data: Float64Array.of(Math.PI, -1e300) }],
  ])

/** A file with the given header and data bytes. */
function file(header: unknown, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  bytes.set(data, 8 + json.length)
  return bytes
}

describe('safetensors', () => {
  it('reads what it wrote, to the bit', () => {
    const { tensors, metadata } = decodeSafetensors(encodeSafetensors(sample(), { format: 'tau' }))
    expect(tensors).toEqual(sample())
    expect(metadata).toEqual({ format: 'tau' })
  })

  it('converts half and brain floats', () => {
    // 1, −2, smallest subnormal, largest, ∞ in binary16; 1 and −2 in bfloat16
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00)
    const f16 = file(
      { h: { dtype: 'F16', shape: [5], data_offsets: [0, 10] } },
      new Uint8Array(halves.buffer),
    )
    expect(decodeSafetensors(f16).tensors.get('h')?.data).toEqual(
      Float32Array.of(1, -2, 2 ** -24, 65504, Infinity),
    )
    const brain = Uint16Array.of(0x3f80, 0xc000, 0x4049) // π to 8 bits
    const bf16 = file(
      { b: { dtype: 'BF16', shape: [3], data_offsets: [0, 6] } },
      new Uint8Array(brain.buffer),
    )
    expect(decodeSafetensors(bf16).tensors.get('b')?.data).toEqual(Float32Array.of(1, -2, 3.140625))
  })

  it.each([
    ['an empty file', new Uint8Array(0), /at least 8 bytes, got 0/],
    [
      'a header longer than the file',
      Uint8Array.of(255, 255, 255, 255, 255, 255, 0, 0, 1),
      /fit in the file's 9 bytes/,
    ],
    [
      'a header of 2^63 bytes',
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128),
      /got a header of 9223372036854776000;/,
    ],
    ['no JSON', file('{"w":'), /header must be JSON/],
    ['null as header', file('null'), /must be a JSON object, got null/],
    ['a null entry', file({ w: null }), /entry "w" must be an object, got null/],
    ['metadata that is no text', file({ __metadata__: { a: 7 } }), /metadata "a" must be a string, got 7/],
    ['a list as header', file('[]'), /must be a JSON object/],
    [
      'an unknown type',
      file({ w: { dtype: 'Q4', shape: [1], data_offsets: [0, 1] } }, new Uint8Array(1)),
      /dtype of "w" .* got "Q4"/,
    ],
    [
      "an object's method as type",
      file({ w: { dtype: 'toString', shape: [], data_offsets: [0, 0] } }),
      /dtype of "w" .* got "toString"/,
    ],
    [
      'a type that is no name',
      file({ w: { dtype: 4, shape: [1], data_offsets: [0, 1] } }, new Uint8Array(1)),
      /dtype of "w" must be a name, got 4/,
    ],
    [
      'a negative axis',
      file({ w: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }),
      /shape of "w" .* got \[-1\]/,
    ],
    [
      'an offset past the end',
      file({ w: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }),
      /bytes 0 to 4/,
    ],
    [
      'a size that does not fit',
      file({ w: { dtype: 'F32', shape: [2 ** 52, 2 ** 52], data_offsets: [0, 4] } }, new Uint8Array(4)),
      /got bytes 0 to 4/,
    ],
    [
      'a size that does not fit a type that cannot be decoded',
      file({ w: { dtype: 'I64', shape: [2], data_offsets: [0, 8] } }, new Uint8Array(8)),
      /the 16 bytes of I64 \[2\].* got bytes 0 to 8/,
    ],
    [
      'an end before its beginning',
      file({ w: { dtype: 'Q4', shape: [1], data_offsets: [4, 0] } }, new Uint8Array(4)),
      /got bytes 4 to 0/,
    ],
    [
      'a negative offset',
      file({ w: { dtype: 'F32', shape: [1], data_offsets: [-4, 0] } }, new Uint8Array(4)),
      /data_offsets of "w" must be two byte positions, got \[-4,0\]/,
    ],
    [
      'a gap',
      file({ w: { dtype: 'F32', shape: [1], data_offsets: [4, 8] } }, new Uint8Array(8)),
      /must start .* at 0, got 4/,
    ],
    [
      'data nobody names',
      file({ w: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, new Uint8Array(8)),
      /cover the file's 8 data bytes, got 4/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'model.safetensors')).toThrow(message)
    expect(() => decodeSafetensors(bytes, 'model.safetensors')).toThrow('model.safetensors: ')
    expect(() => decodeSafetensors(bytes)).toThrow(FormatError)
  })

  it('refuses overlapping arrays', () => {
    const entry = { dtype: 'F32', shape: [1], data_offsets: [0, 4] }
    expect(() => decodeSafetensors(file({ a: entry, b: entry }, new Uint8Array(4)))).toThrow('must start')
  })

  it('decodes one tensor of a file with types that it cannot decode', () => {
    const { entries, decode } = openSafetensors(
      file(
        {
          ids: { dtype: 'I64', shape: [1], data_offsets: [0, 8] },
          w: { dtype: 'F32', shape: [1, 2], data_offsets: [8, 16] },
        },
        new Uint8Array(Float32Array.of(0, 0, 3, -5).buffer),
      ),
      'x',
    )
    expect([...entries.keys()]).toEqual(['ids', 'w'])
    expect(entries.get('ids')).toMatchObject({ dtype: 'I64', shape: [1] })
    expect(decode('w')).toEqual({ shape: [1, 2], data: Float32Array.of(3, -5) })
    expect(() => decode('ids')).toThrow(
      'x: dtype of "ids" must be one of F64, F32, F16, BF16, I32, got "I64"',
    )
    expect(() => decode('v')).toThrow('x: the file must hold the requested tensor, got no "v"')
  })

  it('never reads past a truncated file', () => {
    const whole = encodeSafetensors(sample())
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(() => decodeSafetensors(whole.subarray(0, length))).toThrow('damaged')
      }),
      { seed: 5 },
    )
  })
})
