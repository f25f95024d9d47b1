import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError } from '@tau/tensor'
import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { featureLaplacian } from '../laplacian/pipeline.ts'
import { type Csr, checkCsr, csrFromCoo, spmv, symmetryError } from '../sparse/csr.ts'
import { ARROW_MANIFOLD, normalMatrix } from '../testing.ts'
import { readManifold, writeManifold } from './files.ts'
import { type ManifoldMetadata, parseManifoldJson } from './metadata.ts'
import { encodeManifoldParquet, parseManifoldParquet } from './parquet.ts'

const L = await featureLaplacian(normalMatrix(8, 29, 13), { k: 3, sigma: 0.9 })
const source = { rows: 29, cols: 13 }

/** A parquet file with the manifold's columns, some of them replaced. */
const lying = (change: Record<string, unknown>, options: object = {}): Uint8Array => {
  const data: Record<string, unknown> = {
    name_id: ['m', 'm', 'm', 'm'],
    n_rows: [2n, 2n, 2n, 2n],
    n_cols: [2n, 2n, 2n, 2n],
    nnz: [4n, 4n, 4n, 4n],
    row: [0n, 0n, 1n, 1n],
    col: [0n, 1n, 0n, 1n],
    value: Float64Array.of(1, -1, -1, 1),
    ...change,
  }
  const columnData = Object.entries(data).flatMap(([name, values]) =>
    values === undefined ? [] : [{ name, data: values as Float64Array | string[] | bigint[] }],
  )
  return new Uint8Array(parquetWriteBuffer({ columnData, ...options }))
}

describe('manifold.parquet', () => {
  it('round-trips any sparse matrix', async () => {
    const entries = fc.uniqueArray(
      fc.record({ i: fc.nat(6), j: fc.nat(10), v: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
      { selector: ({ i, j }) => i * 11 + j, minLength: 1, maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(entries, fc.string({ unit: 'binary', maxLength: 20 }), async (list, nameId) => {
        const matrix = csrFromCoo({
          nRows: 7,
          nCols: 11,
          row: list.map((e) => e.i),
          col: list.map((e) => e.j),
          value: list.map((e) => e.v),
        })
        expect(await parseManifoldParquet(encodeManifoldParquet(matrix, { nameId }))).toEqual({
          nameId,
          matrix,
        })
      }),
      { seed: 5, numRuns: 60 },
    )
  })

  it("has the columns and types that Arrow's writer gives the same schema", async () => {
    const columns = (bytes: Uint8Array) =>
      parquetMetadata(bytes).schema.map(({ name, type, repetition_type, converted_type, logical_type }) => ({
        ...{ name, type, repetition_type, converted_type, logical_type },
      }))
    const arrow = await readFile(join(ARROW_MANIFOLD, 'manifold.parquet'))
    expect(columns(encodeManifoldParquet(L, { nameId: 'x' }))).toEqual(columns(arrow))
  })

  it("reads every entry of a file by Arrow's writer", async () => {
    const arrow = await readFile(join(ARROW_MANIFOLD, 'manifold.parquet'))
    const { nameId, matrix } = await parseManifoldParquet(arrow)
    expect(nameId).toBe('dataset-gl-matrix')
    expect([matrix.nRows, matrix.nCols, matrix.values.length]).toEqual([192, 192, 3007])
    expect(Math.max(...spmv(matrix, new Float64Array(192).fill(1)).map(Math.abs))).toBeLessThan(1e-12)
    expect(symmetryError(matrix).error).toBe(0)
    expect(await parseManifoldParquet(encodeManifoldParquet(matrix, { nameId }))).toEqual({ nameId, matrix })
  })

  it('reads many row groups and pages, compressed or not', async () => {
    const { matrix } = await parseManifoldParquet(encodeManifoldParquet(L, { nameId: 'm' }))
    const coo = { row: [] as bigint[], col: [] as bigint[] }
    for (let i = 0; i < L.nRows; i++) {
      for (let e = L.indptr[i]; e < L.indptr[i + 1]; e++) {
        coo.row.push(BigInt(i))
        coo.col.push(BigInt(L.indices[e]))
      }
    }
    const all = <T>(value: T) => new Array<T>(L.values.length).fill(value)
    const n = BigInt(L.values.length)
    const columns = {
      name_id: all('m'),
      n_rows: all(13n),
      n_cols: all(13n),
      nnz: all(n),
      ...coo,
      value: L.values,
    }
    for (const options of [
      { rowGroupSize: 10 },
      { pageSize: 32 },
      { rowGroupSize: 17, pageSize: 16, codec: 'UNCOMPRESSED' },
    ]) {
      expect((await parseManifoldParquet(lying(columns, options))).matrix).toEqual(matrix)
    }
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['too large an nnz', { nnz: [9n, 9n, 9n, 9n] }, 'got nnz 9 and 4 rows'],
    ['an nnz that varies', { nnz: [4n, 4n, 4n, 5n] }, 'nnz must be the same in all rows, got 4 and 5'],
    ['a row outside', { row: [0n, 0n, 1n, 2n] }, 'row must be an integer between 0 and 1, got 2 in entry 3'],
    ['a negative column', { col: [0n, 1n, -1n, 1n] }, 'col must be an integer between 0 and 1, got -1'],
    ['an entry twice', { col: [0n, 0n, 0n, 1n] }, 'positions must differ, got (0, 0) twice'],
    ['NaN', { value: Float64Array.of(1, -1, Number.NaN, 1) }, 'finite number, got NaN in entry 2'],
    ['a null', { value: [1.5, null, -1.5, 1.5] }, 'finite number, got null in entry 1'],
    ['no size', { n_rows: [0n, 0n, 0n, 0n] }, 'n_rows must be an integer between 1 and 16777216, got 0'],
    [
      'an absurd size',
      { n_cols: [2n ** 40n, 2n, 2n, 2n] },
      'n_cols must be an integer between 1 and 16777216',
    ],
    [
      'a missing column',
      { nnz: undefined },
      'must have a column nnz of type INT64, got columns "name_id" BYTE_ARRAY',
    ],
    ['values of another type', { value: Int32Array.of(1, 1, 1, 1) }, 'a column value of type DOUBLE'],
    ['two names', { name_id: ['m', 'm', 'm', 'k'] }, 'the same string in all rows, got "m" and "k"'],
  ])('refuses %s', async (_, change, message) => {
    const parsing = parseManifoldParquet(lying(change))
    await expect(parsing).rejects.toThrow(FormatError)
    await expect(parsing).rejects.toThrow(message)
  })

  it('refuses a codec it cannot check', async () => {
    const compressors = { ZSTD: (input: Uint8Array) => input }
    await expect(parseManifoldParquet(lying({}, { codec: 'ZSTD', compressors }))).rejects.toThrow(
      'must be compressed with SNAPPY or not at all, got ZSTD',
    )
  })

  it('refuses every truncation', async () => {
    const whole = encodeManifoldParquet(L, { nameId: 'm' })
    for (let length = 0; length < whole.length; length += 7) {
      await expect(parseManifoldParquet(whole.subarray(0, length))).rejects.toThrow(FormatError)
    }
    // it keeps the tail and loses the middle
    const holed = Uint8Array.of(...whole.subarray(0, 90), ...whole.subarray(190))
    await expect(parseManifoldParquet(holed)).rejects.toThrow(FormatError)
  })

  it('refuses or survives every corrupted byte, without undue allocation', { timeout: 60_000 }, async () => {
    for (const codec of ['SNAPPY', 'UNCOMPRESSED']) {
      const whole = lying({}, { codec })
      let refused = 0
      for (let at = 0; at < whole.length; at++) {
        for (const value of [whole[at] ^ 0xff, whole[at] ^ 1, 0x7f]) {
          const broken = whole.slice()
          broken[at] = value
          try {
            checkCsr('test', (await parseManifoldParquet(broken)).matrix)
          } catch (error) {
            expect(error, `byte ${at} = ${value}`).toBeInstanceOf(FormatError)
            refused++
          }
        }
      }
      expect(refused).toBeGreaterThan(whole.length / 2)
    }
  })

  it('refuses to store what it could not read back', () => {
    const empty: Csr = csrFromCoo({ nRows: 2, nCols: 2, row: [], col: [], value: [] })
    expect(() => encodeManifoldParquet(empty, { nameId: 'm' })).toThrow('at least one entry')
    const nan = csrFromCoo({ nRows: 2, nCols: 2, row: [0], col: [0], value: [Number.NaN] })
    expect(() => encodeManifoldParquet(nan, { nameId: 'm' })).toThrow('must be finite, got NaN')
  })
})

describe('manifold folder', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tau-manifold-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('round-trips with its metadata', async () => {
    const config = { lambda_k: { Usize: 3 } }
    const written = await writeManifold(folder, { laplacian: L, nameId: 'whale', source, config })
    const read = await readManifold(folder, { size: 13 })
    expect(read).toEqual({ laplacian: L, nameId: 'whale', metadata: written })
    expect(await readManifold(join(folder, 'manifold.parquet'))).toEqual(read)
    expect(written.files.laplacian).toMatchObject({
      file_type: 'sparse',
      rows: 13,
      cols: 13,
      nnz: L.values.length,
    })
  })

  it('makes the folder, replaces both files and leaves nothing else', async () => {
    const deep = join(folder, 'a', 'b')
    await writeManifold(deep, { laplacian: L, nameId: 'old', source })
    await writeManifold(deep, { laplacian: L, nameId: 'new', source })
    expect((await readManifold(deep)).nameId).toBe('new')
    expect((await readdir(deep)).sort()).toEqual(['manifold.json', 'manifold.parquet'])
    const file = join(deep, 'manifold.json')
    await expect(writeManifold(file, { laplacian: L, nameId: 'm', source })).rejects.toThrow(
      `save: ${file} must be a folder or a new name, got EEXIST`,
    )
  })

  it('refuses a Laplacian of the wrong size, or one that is not symmetric, unless told to inspect', async () => {
    await writeManifold(folder, { laplacian: L, nameId: 'm', source })
    await expect(readManifold(folder, { size: 64 })).rejects.toThrow('L must be [64, 64], got [13, 13]')
    const walk = await featureLaplacian(normalMatrix(8, 29, 13), {
      k: 3,
      sigma: 0.9,
      normalization: 'random-walk',
    })
    await writeManifold(folder, { laplacian: walk, nameId: 'm', source })
    await expect(readManifold(folder)).rejects.toThrow('L must be symmetric, got |L[')
    expect((await readManifold(folder, { check: false })).laplacian).toEqual(walk)
  })

  it('refuses a parquet file that is not the one manifold.json describes', async () => {
    await writeManifold(folder, { laplacian: L, nameId: 'm', source })
    const path = join(folder, 'manifold.parquet')
    const other = { ...L, values: L.values.map((v) => 2 * v) }
    await writeFile(path, encodeManifoldParquet(other, { nameId: 'm' }))
    await expect(readManifold(folder)).rejects.toThrow(
      /must agree with manifold\.json, got (size_bytes|sha256)/,
    )
  })

  it('names a missing folder and a damaged manifold.json', async () => {
    await expect(readManifold(join(folder, 'none'))).rejects.toThrow(
      /none\/manifold\.parquet must be readable, got ENOENT/,
    )
    await expect(readManifold(folder)).rejects.toThrow(/manifold\.parquet must be readable, got ENOENT/)
    await writeManifold(folder, { laplacian: L, nameId: 'm', source })
    await writeFile(join(folder, 'manifold.json'), '{"name_id": ')
    await expect(readManifold(folder)).rejects.toThrow('manifold.json: the file must be JSON')
  })
})

describe('manifold.json', () => {
  const good: ManifoldMetadata = {
    name_id: 'm',
    timestamp: '2026-01-01T00:00:00Z',
    n_rows: 5,
    n_cols: 3,
    builder_config: { lambda_p: { F64: 1.8 } },
    files: { a: { filename: 'a', file_type: 'sparse', rows: 3, cols: 3, nnz: null, size_bytes: 7 } },
  }
  it('is checked field by field', () => {
    expect(parseManifoldJson(JSON.stringify(good))).toEqual(good)
    const bad = (change: object) => () => parseManifoldJson(JSON.stringify({ ...good, ...change }))
    expect(bad({ n_rows: -1 })).toThrow('n_rows must be an integer of at least 0, got -1')
    expect(bad({ name_id: 7 })).toThrow('name_id must be a string, got 7')
    expect(bad({ files: [] })).toThrow('files must be an object, got []')
    expect(bad({ files: { a: { ...good.files.a, rows: 'x' } } })).toThrow('files.a.rows must be an integer')
    expect(bad({ builder_config: { lambda_p: 1.8 } })).toThrow(
      'builder_config.lambda_p must be an object, got 1.8',
    )
  })

  it('may have the options and the files of ArrowSpace', async () => {
    const metadata = parseManifoldJson(await readFile(join(ARROW_MANIFOLD, 'manifold.json'), 'utf8'))
    expect(metadata.n_rows).toBe(4096)
    expect(metadata.builder_config.synthesis).toEqual({ TauMode: 'Median' })
    expect(metadata.files.lambda_vector.nnz).toBeNull()
  })
})
