import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSafetensors, encodeSafetensors, type NamedArray } from './safetensors.ts'

const sample = (): Map<string, NamedArray> =>
  new Map([
    ['w', { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, Number.NaN, Number.POSITIVE_INFINITY, -0) }],
    ['ids', { shape: [3], data: Int32Array.of(7, -1, 2 ** 31 - 1) }],
    ['empty', { shape: [0, 5], data: new Float32Array(0) }],
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
    const brain = Uint16Array.of(0x3f80, 0xc000)
    const bf16 = file(
      { b: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } },
      new Uint8Array(brain.buffer),
    )
    expect(decodeSafetensors(bf16).tensors.get('b')?.data).toEqual(Float32Array.of(1, -2))
  })

  it.each([
    ['an empty file', new Uint8Array(0), /at least 8 bytes, got 0/],
    [
      'a header longer than the file',
      Uint8Array.of(255, 255, 255, 255, 255, 255, 0, 0, 1),
      /fit in the file's 9 bytes/,
    ],
    ['no JSON', file('{"w":'), /header must be JSON/],
    ['a list as header', file('[]'), /must be a JSON object/],
    [
      'an unknown type',
      file({ w: { dtype: 'Q4', shape: [1], data_offsets: [0, 1] } }),
      /dtype of "w" .* got "Q4"/,
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
    expect(() => decodeSafetensors(bytes, 'model.safetensors')).toThrow('model.safetensors')
  })

  it('refuses overlapping arrays', () => {
    const entry = { dtype: 'F32', shape: [1], data_offsets: [0, 4] }
    expect(() => decodeSafetensors(file({ a: entry, b: entry }, new Uint8Array(4)))).toThrow('must start')
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
