import { FormatError } from '@tau/tensor'
import { encodeSafetensors } from '@tau/tensor/files'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../dense/matrix.ts'
import { normalMatrix } from '../testing.ts'
import { type EmbeddingFormat, embeddingsOfBytes } from './open.ts'
import { parseEmbeddings } from './read.ts'
import type { RowBlock } from './source.ts'

/** The smallest memory that is allowed; it gives blocks of 128 KiB. */
const memoryBytes = 2 ** 20
const text = (value: string) => new TextEncoder().encode(value)

const x = normalMatrix(1, 3001, 29)
const transposed = Float64Array.from(x.data, (_, n) => x.data[(n % x.rows) * x.cols + Math.floor(n / x.rows)])

const npy = (descr: string, data: Uint8Array, fortran = 'False') => {
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${x.rows}, ${x.cols}), }\n`
  return new Uint8Array(
    Buffer.concat([Uint8Array.of(0x93, ...text('NUMPY'), 1, 0, header.length, 0), text(header), data]),
  )
}
const bytesOf = (data: Float32Array | Float64Array) => new Uint8Array(data.buffer, 0, data.byteLength)
const columns = (rowGroupSize: number) =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Array.from({ length: x.cols }, (_, j) => ({
        name: `${j}`,
        data: Float64Array.from({ length: x.rows }, (_, i) => x.data[i * x.cols + j]),
      })),
      rowGroupSize,
    }),
  )
const lines = Array.from({ length: x.rows }, (_, i) =>
  JSON.stringify([...x.data.subarray(i * x.cols, (i + 1) * x.cols)]),
)

const words = lines.map((line, i) => `word${i} ${line.slice(1, -1).replaceAll(',', ' ')}`)

const blocksOf = async (bytes: Uint8Array, format: EmbeddingFormat): Promise<RowBlock[]> => {
  const blocks: RowBlock[] = []
  const source = await embeddingsOfBytes(bytes, format, { memoryBytes })
  for await (const block of source.blocks()) blocks.push({ ...block, data: block.data.slice() })
  return blocks
}

const f32 = { ...x, data: Float32Array.from(x.data) }

describe('blocks of rows', () => {
  it.each<[string, EmbeddingFormat, () => Uint8Array, DenseMatrix]>([
    ['.npy of f32', 'npy', () => npy('<f4', bytesOf(f32.data)), f32],
    ['.npy of f64', 'npy', () => npy('<f8', bytesOf(x.data)), x],
    ['.npy in the order of Fortran', 'npy', () => npy('<f8', bytesOf(transposed), 'True'), x],
    [
      '.safetensors',
      'safetensors',
      () => encodeSafetensors(new Map([['x', { shape: [x.rows, x.cols], data: x.data }]])),
      x,
    ],
    ['.parquet', 'parquet', () => columns(1000), x],
    ['.jsonl', 'jsonl', () => text(lines.join('\n')), x],
    ['.txt of word vectors', 'txt', () => text(words.join('\n')), f32],
  ])('of %s are small, in order and complete', async (_, format, make, expected) => {
    const bytes = make()
    const blocks = await blocksOf(bytes, format)
    expect(blocks.length).toBeGreaterThan(2)
    let first = 0
    let share = 0
    for (const block of blocks) {
      expect(block.first).toBe(first)
      expect(block.data.byteLength).toBeLessThanOrEqual(memoryBytes / 8)
      expect(block.data).toEqual(expected.data.subarray(first * x.cols, (first + block.rows) * x.cols))
      expect(block.share).toBeGreaterThanOrEqual(share)
      first += block.rows
      share = block.share
    }
    expect([first, share]).toEqual([x.rows, 1])
    expect(await parseEmbeddings(bytes, format)).toEqual(expected)
  })

  it('can be read again, and a pass may stop in the middle', async () => {
    const source = await embeddingsOfBytes(npy('<f8', bytesOf(x.data)), 'npy', { memoryBytes })
    expect([source.rows, source.cols]).toEqual([3001, 29])
    for await (const block of source.blocks()) {
      expect(block.first).toBe(0)
      break
    }
    let rows = 0
    for await (const block of source.blocks()) rows += block.rows
    expect(rows).toBe(3001)
  })

  it('are refused if a row does not fit', async () => {
    await expect(blocksOf(columns(3001), 'parquet')).rejects.toThrow(
      /a row group must fit in the memory of 1048576 bytes, got 87029 values that take \d+; raise the memory/,
    )
    const long = text(`[1]\n[${'1,'.repeat(2 ** 20)}1]\n`)
    await expect(blocksOf(long, 'jsonl')).rejects.toThrow(
      'a line must have at most 131072 bytes, got more from byte 4 on; raise the memory',
    )
    const wide = encodeSafetensors(new Map([['x', { shape: [1, 40_000], data: new Float32Array(40_000) }]]))
    await expect(blocksOf(wide, 'safetensors')).rejects.toThrow(
      'a block of 131072 bytes must hold a row, got rows of 160000; raise the memory',
    )
    await expect(embeddingsOfBytes(long, 'jsonl', { memoryBytes: 1000 })).rejects.toThrow(
      'memoryBytes must be an integer at least 1048576, got 1000',
    )
  })

  it('of .jsonl say on which line and byte something is wrong, far into the text', async () => {
    const ragged = [...lines, '[1, 2]']
    await expect(blocksOf(text(ragged.join('\n')), 'jsonl')).rejects.toThrow(
      'the width of the first, 29, got 2 on line 3002',
    )
    const good = text(`${lines.join('\n')}\n`)
    const broken = Uint8Array.of(...text('[1, '), 0xff)
    const bytes = new Uint8Array(good.length + broken.length)
    bytes.set(good)
    bytes.set(broken, good.length)
    const reading = blocksOf(bytes, 'jsonl')
    await expect(reading).rejects.toThrow(FormatError)
    await expect(reading).rejects.toThrow(/text from byte \d+ on must be UTF-8, got bytes ff at offset \d+/)
  })
})
