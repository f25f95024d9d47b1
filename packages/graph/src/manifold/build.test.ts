import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpu, type Device, FormatError } from '@tau/tensor'
import { encodeSafetensors } from '@tau/tensor/files'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../dense/matrix.ts'
import { multiply } from '../dense/multiply.ts'
import { openEmbeddings } from '../embeddings/open.ts'
import { type EmbeddingSource, matrixSource } from '../embeddings/source.ts'
import { GraphError } from '../errors.ts'
import { gramOf } from '../gram/gram.ts'
import { reduceEmbeddings } from '../gram/reduce.ts'
import { toDense } from '../sparse/csr.ts'
import { rayleighEnergies, tauFromEnergies } from '../taumode/taumode.ts'
import { maxError, normalMatrix } from '../testing.ts'
import { buildManifold, type ManifoldOptions } from './build.ts'
import { manifoldConfig } from './config.ts'
import { laplacianOfGram } from './feature-graph.ts'
import type { ManifoldProgress } from './passes.ts'

/** Embeddings with a falling spectrum, like real ones. They are exact in f32. */
const realistic = (rows: number, cols: number): DenseMatrix => {
  const x = normalMatrix(1, rows, cols)
  const scaled = { ...x, data: x.data.map((v, n) => v / (1 + (n % cols))) }
  return { data: Float32Array.from(multiply(scaled, normalMatrix(2, cols, cols)).data), rows, cols }
}
const x = realistic(211, 37)
const rowsOf = ({ data, rows, cols }: DenseMatrix): number[][] =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * cols, (i + 1) * cols)])

/** The rows of x, a few at a time. */
const inBlocks = ({ data, rows, cols }: DenseMatrix, most: number): EmbeddingSource => ({
  ...matrixSource({ data, rows, cols }, 'some rows'),
  async *blocks() {
    for (let first = 0; first < rows; first += most) {
      const count = Math.min(most, rows - first)
      const part = data.slice(first * cols, (first + count) * cols)
      yield { data: part, rows: count, cols, first, share: (first + count) / rows }
    }
  },
})

const build = (source: EmbeddingSource, options: Partial<ManifoldOptions> = {}) =>
  buildManifold(source, { dim: 17, ...options })

describe('buildManifold', () => {
  it.each([
    ['random', false],
    ['random', true],
    ['rotated-pca', false],
    ['rotated-pca', true],
  ] as const)('is the graph of the products in memory, %s, centred %s', async (reduce, center) => {
    const { laplacian, info } = await build(inBlocks(x, 50), { reduce, center })
    const whole = laplacianOfGram(gramOf(x, { center }), { dim: 17, reduce, center })
    expect(laplacian).toEqual(whole.laplacian)
    expect(info).toMatchObject({ ...whole.info, sample: 1, clusters: null, graphRows: 211 })
  })

  it('calibrates τ by the energies of the reduced rows', async () => {
    for (const center of [false, true])
      for (const reduce of ['random', 'rotated-pca'] as const) {
        const { laplacian, info } = await build(inBlocks(x, 64), { reduce, center, tau: 'mean' })
        const reduced = reduceEmbeddings(x, { dim: 17, method: reduce, center })
        const energies = rayleighEnergies(reduced, laplacian)
        expect(info.tau).toBeCloseTo(tauFromEnergies(energies, { name: 'mean' }), 12)
        const median = await build(inBlocks(x, 64), { reduce, center })
        expect(median.info.tau).toBeCloseTo(tauFromEnergies(energies, { name: 'median' }), 12)
      }
  })

  it('samples rows by the seed, whatever the blocks', async () => {
    const { laplacian, info } = await build(inBlocks(x, 7), { sample: 0.6, seed: 3 })
    expect(info.rows).toBe(211)
    // 211 · 0.6 = 127, within four standard deviations √(211 · 0.6 · 0.4)
    expect(Math.abs(info.graphRows - 127)).toBeLessThan(29)
    expect((await build(inBlocks(x, 100), { sample: 0.6, seed: 3 })).laplacian).toEqual(laplacian)
    expect((await build(inBlocks(x, 7), { sample: 0.6, seed: 4 })).laplacian).not.toEqual(laplacian)
    expect(x.data).toEqual(realistic(211, 37).data)
  })

  it('is that of the centres with clusters', async () => {
    const clusters = await build(inBlocks(x, 40), { clusters: 29 })
    expect(clusters.info).toMatchObject({ rows: 211, graphRows: 29, clusters: 29 })
    expect(clusters.laplacian).not.toEqual((await build(inBlocks(x, 40))).laplacian)
    // with one centre per row, the centres are the rows in another order
    const all = await build(inBlocks(x, 40), { clusters: 211 })
    expect(
      maxError(toDense(all.laplacian).data, toDense((await build(inBlocks(x, 40))).laplacian).data),
    ).toBeLessThan(1e-9)
  })

  it('counts copies as rows, and zeros add nothing', async () => {
    const plain = (await build(matrixSource(x))).laplacian
    const twice = { data: Float32Array.of(...x.data, ...x.data), rows: 422, cols: 37 }
    const padded = { data: Float32Array.of(...x.data, ...new Float32Array(3 * 37)), rows: 214, cols: 37 }
    for (const other of [twice, padded]) {
      const { laplacian } = await build(matrixSource(other))
      expect(laplacian.indices).toEqual(plain.indices)
      expect(maxError(laplacian.values, plain.values)).toBeLessThan(1e-12)
    }
  })

  it('names row, column and value of what is not finite, in rows that are not sampled too', async () => {
    const data = x.data.slice()
    data[150 * 37 + 5] = Number.NaN
    for (const options of [{}, { sample: 0.01 }, { clusters: 3 }]) {
      const building = build(inBlocks({ ...x, data }, 64), options)
      await expect(building).rejects.toThrow(GraphError)
      await expect(building).rejects.toThrow(
        'manifold of some rows: every element must be finite, got NaN at row 150, column 5; remove or repair',
      )
    }
  })

  it('refuses rows of another width, one point, and no point', async () => {
    const ragged: EmbeddingSource = {
      ...matrixSource(x),
      async *blocks() {
        yield { ...x, first: 0, share: 0.5 }
        yield { ...realistic(3, 36), first: 211, share: 1 }
      },
    }
    await expect(build(ragged)).rejects.toThrow('got 37 in row 0 and 36 in row 211; pad or remove')
    const one = matrixSource({ data: x.data.subarray(0, 37), rows: 1, cols: 37 }, 'x.npy')
    await expect(build(one)).rejects.toThrow('at least 2 rows, got 1 of x.npy; add rows or raise sample')
    await expect(build(matrixSource(x), { sample: 1e-9 })).rejects.toThrow('at least 2 rows, got 0')
  })

  it.each<[string, Partial<ManifoldOptions>, string]>([
    ['eps', { eps: 1e-6 }, 'none within eps 0.000001'],
    ['sigma', { sigma: 1e-9, p: 4 }, 'raise sigma'],
    ['sigma', { sigma: 1000 }, 'sigma 1000 is far above the distances'],
    ['k', { k: 17 }, 'k must be an integer between 1 and 16'],
    ['dim', { dim: 1 }, 'dim must be an integer between 2'],
    ['dim', { dim: 38, reduce: 'rotated-pca' }, 'dim must be an integer between 1 and 37'],
    ['reduce', { reduce: 'pca' }, "use reduce 'random' or 'rotated-pca'"],
    ['reduce', { reduce: 'none' }, 'the width must be dim, got width 37 and dim 17'],
    ['sample', { sample: 0 }, 'sample must be a share above 0 and at most 1, got 0'],
    ['clusters', { clusters: 1 }, 'clusters must be an integer between 2'],
    ['clusters', { clusters: 212 }, 'clusters must be at most the number of rows, 211, got 212'],
  ])(
    'names the setting that is wrong or gives a graph without information: %s',
    async (_, options, message) => {
      await expect(build(matrixSource(x), options)).rejects.toThrow(GraphError)
      await expect(build(matrixSource(x), options)).rejects.toThrow(message)
    },
  )

  it('refuses a width whose products do not fit the memory', async () => {
    const wide = matrixSource({ data: new Float32Array(2 * 2000).fill(1), rows: 2, cols: 2000 })
    await expect(build({ ...wide, memoryBytes: 2 ** 24 })).rejects.toThrow(
      /the memory must hold the products of 2000 features, \d+ bytes, got 16777216; raise memoryBytes/,
    )
    const many = build({ ...matrixSource(x), memoryBytes: 2 ** 19 }, { clusters: 100, sample: 0.9 })
    await expect(many).rejects.toThrow(
      'the memory must hold 100 clusters of width 37, 695008 bytes, got 524288; lower clusters or raise memoryBytes',
    )
  })

  it('reports progress, and stops', async () => {
    const seen: ManifoldProgress[] = []
    await build(inBlocks(x, 10), { clusters: 5, onProgress: (progress) => seen.push(progress) })
    expect(seen[0]).toEqual({ pass: 'seeds', fraction: 1, rows: 211 })
    expect(seen.map(({ pass }) => pass)).toContain('k-means 1')
    const stop = new AbortController()
    let blocks = 0
    const source: EmbeddingSource = {
      ...inBlocks(x, 10),
      async *blocks() {
        for await (const block of inBlocks(x, 10).blocks()) {
          if (++blocks === 3) stop.abort(new Error('enough'))
          yield block
        }
      },
    }
    await expect(build(source, { signal: stop.signal })).rejects.toThrow('enough')
    expect(blocks).toBe(3)
  })

  it("writes its settings under ArrowSpace's keys", async () => {
    const { info } = await build(matrixSource(x), { sample: 0.9, clusters: 20, tau: 'mean' })
    expect(manifoldConfig(info)).toMatchObject({
      sampling: { OptionSamplerType: { Simple: 0.9 } },
      cluster_max_clusters: { OptionUsize: 20 },
      synthesis: { TauMode: 'Mean' },
      nitems: { Usize: 211 },
      tau_graph_rows: { Usize: 20 },
      tau_tau: { F64: info.tau },
    })
  })
})

describe('buildManifold on devices and files', () => {
  const wide = realistic(5000, 37)
  let folder: string
  const devices: Device[] = []
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tau-build-'))
    for (const threads of [1, 2]) devices.push(await cpu({ threads }))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
    for (const device of devices) await device.close()
  })

  it('is the same on any number of threads and near that of f64, clusters too', async () => {
    for (const clusters of [null, 53]) {
      const [one, two] = await Promise.all(
        devices.map((device) => build(inBlocks(wide, 700), { device, clusters })),
      )
      expect(two).toEqual(one)
      const exact = await build(inBlocks(wide, 700), { clusters })
      expect(one.laplacian.indices).toEqual(exact.laplacian.indices)
      expect(maxError(one.laplacian.values, exact.laplacian.values)).toBeLessThan(1e-4)
    }
    for (const device of devices) expect(device.memory.liveBuffers).toBe(0)
  })

  it('is the same from every format, with little memory', async () => {
    const path = (name: string) => join(folder, name)
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${wide.rows}, ${wide.cols}), }\n`
    const npy = Buffer.concat([
      Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]),
      Buffer.from(header),
      Buffer.from(wide.data.buffer),
    ])
    await writeFile(path('x.npy'), npy)
    await writeFile(
      path('x.jsonl'),
      rowsOf(wide)
        .map((row) => JSON.stringify(row))
        .join('\n'),
    )
    const tensor = { shape: [wide.rows, wide.cols], data: wide.data }
    await writeFile(path('x.safetensors'), encodeSafetensors(new Map([['x', tensor]])))
    const columnData = Array.from({ length: wide.cols }, (_, j) => ({
      name: `${j}`,
      data: Float32Array.from({ length: wide.rows }, (_, i) => wide.data[i * wide.cols + j]),
    }))
    await writeFile(path('x.parquet'), new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 900 })))
    const [device] = devices
    const expected = await build(matrixSource(wide), { device })
    for (const name of ['x.npy', 'x.jsonl', 'x.safetensors', 'x.parquet']) {
      const source = await openEmbeddings(path(name), { memoryBytes: 2 ** 25 })
      expect(await build(source, { device }), name).toEqual(expected)
    }
    // a NaN far into the file, where rows are multiplied as they are read
    const broken = Buffer.from(npy)
    broken.writeFloatLE(Number.NaN, npy.length - 4 * (100 * 37 - 3))
    await writeFile(path('nan.npy'), broken)
    await expect(build(await openEmbeddings(path('nan.npy')), { device })).rejects.toThrow(
      /nan\.npy: every element must be finite, got NaN at row 4900, column 3; remove/,
    )
    // a file that shrinks between its header and its rows
    const source = await openEmbeddings(path('x.npy'))
    await writeFile(path('x.npy'), npy.subarray(0, npy.length - 4))
    await expect(build(source)).rejects.toThrow(FormatError)
    await expect(build(source)).rejects.toThrow(
      /x\.npy must have \d+ bytes from byte \d+ on, got \d+; it is truncated/,
    )
  })
})
