import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError } from '@tau/tensor'
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseEmbeddings, readEmbeddings } from './read.ts'

const text = (value: string) => new TextEncoder().encode(value)
const join2 = (a: Uint8Array, b: Uint8Array) => Uint8Array.of(...a, ...b)
const parseNpy = (bytes: Uint8Array) => parseEmbeddings(bytes, 'npy')
const parseJsonl = (lines: string, name?: string) => parseEmbeddings(text(lines), 'jsonl', { name })
const parseSafetensors = (bytes: Uint8Array, name?: string) => parseEmbeddings(bytes, 'safetensors', { name })
const parseParquet = (bytes: Uint8Array, name?: string) => parseEmbeddings(bytes, 'parquet', { name })
const values = [1, -2, 0.5, 3, 4, -0.25]
const f32 = new Uint8Array(Float32Array.from(values).buffer)
const f64 = new Uint8Array(Float64Array.from(values).buffer)

const npy = (descr: string, data: Uint8Array, shape = '(2, 3)', fortran = 'False', version = 1) => {
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`
  const length = version === 1 ? [header.length & 255, header.length >> 8] : [header.length, 0, 0, 0]
  return join2(Uint8Array.of(0x93, ...text('NUMPY'), version, 0, ...length, ...text(header)), data)
}

const safetensors = (header: unknown, data: Uint8Array) => {
  const json = text(typeof header === 'string' ? header : JSON.stringify(header))
  const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer)
  return join2(join2(length, json), data)
}
const tensor = (dtype: string, shape: number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
})

describe('npy', () => {
  it.each([1, 2, 3])('reads version %i, f32 as f32', async (version) => {
    expect(await parseNpy(npy('<f4', f32, '(2, 3)', 'False', version))).toEqual({
      data: Float32Array.from(values),
      rows: 2,
      cols: 3,
    })
  })

  it('reads f64, f16 and Fortran order', async () => {
    expect((await parseNpy(npy('<f8', f64))).data).toEqual(Float64Array.from(values))
    // 1, −2, 0.5, 2^-24 (smallest subnormal), 65504 (largest), 0.333251953125
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x0001, 0x7bff, 0x3555)
    expect([...(await parseNpy(npy('<f2', new Uint8Array(halves.buffer)))).data]).toEqual([
      ...[1, -2, 0.5, 2 ** -24, 65504, 0.333251953125],
    ])
    expect([...(await parseNpy(npy('<f4', f32, '(2, 3)', 'True'))).data]).toEqual([1, 0.5, 4, -2, 3, -0.25])
  })

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'must start with \\x93NUMPY, got 0 bytes'],
    ['a header cut off', npy('<f4', f32).subarray(0, 30), 'the header must fit in the file'],
    ['data cut off', npy('<f4', f32.subarray(0, 23)), 'shape (2, 3) of <f4 needs 24 bytes, got 23'],
    [
      'a wrong shape',
      npy('<f4', f32, '(2000000000, 3000000000)'),
      'needs 24000000000000000000 bytes, got 24',
    ],
    ['one axis', npy('<f4', f32, '(6,)'), 'shape must be (rows, columns), got (6,)'],
    ['no rows', npy('<f4', new Uint8Array(), '(0, 3)'), 'at least one row and one column, got [0, 3]'],
    ['integers', npy('<i4', f32), 'dtype must be <f2, <f4 or <f8, got <i4'],
    [
      'NaN',
      npy('<f4', new Uint8Array(Float32Array.of(1, 2, 3, 4, Number.NaN, 6).buffer)),
      'got NaN at row 1, column 1',
    ],
    [
      'a header without shape',
      join2(Uint8Array.of(0x93, ...text('NUMPY'), 1, 0, 2, 0), text('{}')),
      'must have descr',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(parseNpy(bytes)).rejects.toThrow(FormatError)
    await expect(parseNpy(bytes)).rejects.toThrow(message)
  })
})

describe('jsonl', () => {
  it('reads arrays and objects', async () => {
    expect(await parseJsonl('[1, 2]\n\n[3.5, -4]\r\n')).toEqual({
      data: Float64Array.of(1, 2, 3.5, -4),
      rows: 2,
      cols: 2,
    })
    expect([...(await parseJsonl('{"id": 7, "vector": [1, 2]}')).data]).toEqual([1, 2])
    expect([...(await parseJsonl('{"vector": [1, 2], "other": [9]}', 'other')).data]).toEqual([9])
  })

  it.each([
    ['nothing', '\n\n', 'at least one row and one column, got [0, 0]'],
    ['broken JSON', '[1, 2]\n[3, ', 'on line 2'],
    ['unequal widths', '[1, 2]\n\n[3]', 'the width of the first, 2, got 1 on line 3'],
    ['a string', '[1, "2"]', 'vectors must be numbers, got "2" at position 1 on line 1'],
    ['null', '[1, null]', 'got null at position 1'],
    ['overflow', '[1, 1e999]', 'got Infinity at row 0, column 1'],
    ['no vector', '{"x": 1}', 'under embedding or embeddings or vector or values, got {"x": 1} on line 1'],
    ['a scalar', '7', 'a line must be an array'],
  ])('refuses %s', async (_, lines, message) => {
    await expect(parseJsonl(lines)).rejects.toThrow(FormatError)
    await expect(parseJsonl(lines)).rejects.toThrow(message)
  })

  it('refuses invalid UTF-8 with its place', async () => {
    await expect(parseEmbeddings(Uint8Array.of(0x5b, 0x31, 0xc3, 0x28), 'jsonl')).rejects.toThrow(
      'jsonl: text must be UTF-8, got bytes c3 28 at offset 2',
    )
  })
})

describe('safetensors', () => {
  it('reads the only matrix, or the one named', async () => {
    const two = safetensors(
      { __metadata__: { a: 'b' }, bias: tensor('F32', [3], 24, 36), m: tensor('F32', [2, 3], 0, 24) },
      join2(f32, f32.subarray(0, 12)),
    )
    expect(await parseSafetensors(two)).toEqual({ data: Float32Array.from(values), rows: 2, cols: 3 })
    const many = safetensors(
      { a: tensor('F64', [3, 2], 0, 48), b: tensor('F32', [2, 3], 48, 72) },
      join2(f64, f32),
    )
    expect(await parseSafetensors(many, 'a')).toEqual({
      data: Float64Array.from(values),
      rows: 3,
      cols: 2,
    })
    await expect(parseSafetensors(many)).rejects.toThrow('exactly one float tensor of two axes, got a, b')
    await expect(parseSafetensors(many, 'c')).rejects.toThrow('must hold "c", got a, b')
  })

  it('reads a matrix beside tensors of types that it cannot decode', async () => {
    const ids = tensor('I64', [3], 48, 72)
    const mixed = safetensors(
      { m: tensor('F64', [3, 2], 0, 48), ids, new: tensor('Q4', [7], 72, 72) },
      join2(f64, f32),
    )
    expect(await parseSafetensors(mixed)).toEqual({ data: Float64Array.from(values), rows: 3, cols: 2 })
    await expect(parseSafetensors(mixed, 'ids')).rejects.toThrow(
      '"ids" must be a float tensor of two axes, got I64 [3]',
    )
  })

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'at least 8 bytes, got 0'],
    [
      'data cut off',
      safetensors({ m: tensor('F32', [2, 3], 0, 24) }, f32.subarray(0, 20)),
      "the 24 bytes of F32 [2, 3] inside the file's 20",
    ],
    [
      'integers',
      safetensors({ m: tensor('I32', [2, 3], 0, 24) }, f32),
      'exactly one float tensor of two axes',
    ],
    [
      'NaN',
      safetensors({ m: tensor('F32', [1, 2], 0, 8) }, new Uint8Array(Float32Array.of(1, Number.NaN).buffer)),
      'got NaN at row 0, column 1',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(parseSafetensors(bytes)).rejects.toThrow(FormatError)
    await expect(parseSafetensors(bytes)).rejects.toThrow(message)
  })
})

describe('parquet', () => {
  const lists = (rows: unknown[]) => {
    // the three-level list of Arrow and Spark
    const schema = [
      { name: 'root', num_children: 2 },
      { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
      { name: 'embedding', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
    ] as const
    const columnData = [
      { name: 'id', data: Int32Array.from(rows, (_, i) => i) },
      { name: 'embedding', data: rows },
    ]
    return new Uint8Array(parquetWriteBuffer({ schema: [...schema], columnData, rowGroupSize: 2 }))
  }

  it('reads a column of lists over several row groups', async () => {
    const bytes = lists([
      [1, 2],
      [3, 4],
      [5.5, -6],
    ])
    const expected = { data: Float64Array.of(1, 2, 3, 4, 5.5, -6), rows: 3, cols: 2 }
    expect(await parseParquet(bytes)).toEqual(expected)
    expect(await parseParquet(bytes, 'embedding')).toEqual(expected)
  })

  it('reads numeric columns as features', async () => {
    const columnData = [
      { name: 'a', data: Float32Array.of(1, 2, 3) },
      { name: 'b', data: Float64Array.of(0.1, 0.2, 0.3) },
      { name: 'c', data: [7n, 8n, 9n] },
    ]
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData }))
    expect(await parseParquet(bytes)).toEqual({
      data: Float64Array.of(1, 0.1, 7, 2, 0.2, 8, 3, 0.3, 9),
      rows: 3,
      cols: 3,
    })
  })

  it.each<[string, unknown[], string]>([
    ['unequal lists', [[1, 2], [3]], 'the width of the first, 2, got 1 in row 1'],
    ['a null list', [[1, 2], null], 'embedding must be a list in every row, got null in row 1'],
    [
      'a null element',
      [
        [1, 2],
        [3, null],
      ],
      'embedding must hold numbers, got null in row 1',
    ],
    ['empty lists', [[], []], 'at least one row and one column, got [2, 0]'],
  ])('refuses %s', async (_, rows, message) => {
    await expect(parseParquet(lists(rows))).rejects.toThrow(message)
  })

  it('refuses what it cannot choose from', async () => {
    await expect(parseParquet(lists([[1, 2]]), 'x')).rejects.toThrow(
      'must have a column x, got id, embedding',
    )
    const words = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'w', data: ['a', 'b'] }] }))
    await expect(parseParquet(words)).rejects.toThrow('or only numeric columns, got w')
  })

  it('refuses or survives random damage', async () => {
    const whole = lists([
      [1, 2],
      [3, 4],
      [5.5, -6],
      [0, 1],
    ])
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const broken = whole.slice()
        for (const [at, value] of changes) broken[at] = value
        await parseParquet(broken).catch((error) => expect(error).toBeInstanceOf(FormatError))
      }),
      { seed: 7, numRuns: 1500 },
    )
  })
})

describe('readEmbeddings', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tau-embeddings-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('chooses the format by the extension and names the path in errors', async () => {
    const path = (name: string) => join(folder, name)
    await writeFile(path('a.npy'), npy('<f4', f32))
    await writeFile(path('a.JSONL'), '[1, -2, 0.5]\n[3, 4, -0.25]\n')
    await writeFile(path('a.safetensors'), safetensors({ m: tensor('F64', [2, 3], 0, 48) }, f64))
    const columnData = [0, 1, 2].map((j) => ({
      name: `${j}`,
      data: Float64Array.of(values[j], values[j + 3]),
    }))
    await writeFile(path('a.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })))
    for (const name of ['a.npy', 'a.JSONL', 'a.safetensors', 'a.parquet']) {
      const x = await readEmbeddings(path(name))
      expect([x.rows, x.cols, ...x.data], name).toEqual([2, 3, ...values])
    }
    await writeFile(path('b.npy'), npy('<f4', f32.subarray(4)))
    await expect(readEmbeddings(path('b.npy'))).rejects.toThrow(`${path('b.npy')}: npy: shape (2, 3)`)
    await writeFile(path('b.csv'), '1,2')
    await expect(readEmbeddings(path('b.csv'))).rejects.toThrow(
      'format must be npy, jsonl, parquet or safetensors, or txt, vec or json for word vectors, got csv',
    )
    await expect(readEmbeddings(path('none.npy'))).rejects.toThrow(
      `embeddings: ${path('none.npy')} must be readable, got ENOENT`,
    )
  })
})
