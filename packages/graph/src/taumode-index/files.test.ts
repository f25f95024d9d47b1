import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError } from '@tau/tensor'
import { decodeSafetensors, encodeSafetensors, type NamedArray, sha256 } from '@tau/tensor/files'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { normalMatrix } from '../testing.ts'
import { TaumodeIndex, type TaumodeIndexOptions } from './taumode-index.ts'
import { laplacianOf, rowOf } from './testing.ts'

const D = 7
const L = await laplacianOf(D)
const query = rowOf(normalMatrix(5, 1, D), 0)

let folder = ''
let [header, arrays] = ['', '']
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tau-index-'))
  header = join(folder, 'taumode-index.json')
  arrays = join(folder, 'taumode-index.safetensors')
})
afterEach(() => rm(folder, { recursive: true }))

const sample = (options: TaumodeIndexOptions = {}): TaumodeIndex => {
  const index = new TaumodeIndex(L, options)
  index.add(normalMatrix(1, 11, D))
  index.add(normalMatrix(2, 4, D), { ids: [2 ** 40, 77, 50, 60] })
  index.remove([3, 77])
  return index
}

const bytesOf = async () => [await readFile(arrays), await readFile(header)]

describe('a saved index', () => {
  it.each<[string, TaumodeIndexOptions]>([
    ['by default', {}],
    ['with dispersion', { dispersion: 0.3, policy: { name: 'percentile', value: 0.6 } }],
    ['of a fixed τ', { policy: { name: 'fixed', value: 0.1 }, eps: 1e-3 }],
    ['of a τ per vector', { policy: { name: 'reference-mean' } }],
  ])('is read to the bit: %s', async (_, options) => {
    const index = sample(options)
    await index.save(folder)
    const read = await TaumodeIndex.load(folder)
    expect([read.size, read.dim, read.tau]).toEqual([13, D, index.tau])
    expect(read.search(query, 13)).toEqual(index.search(query, 13))
    expect(read.byLambda(0, 1)).toEqual(index.byLambda(0, 1))
    for (const id of index.byLambda(0, 1)) expect(read.get(id)).toEqual(index.get(id))
    const saved = await bytesOf()
    await read.save(folder)
    expect(await bytesOf()).toEqual(saved)
    expect((await readdir(folder)).sort()).toEqual(['taumode-index.json', 'taumode-index.safetensors'])
    for (const one of [index, read]) one.recalibrate()
    expect(read.add([query])).toEqual([2 ** 40 + 1])
    index.add([query])
    expect(read.search(query, 14)).toEqual(index.search(query, 14))
  })

  it('keeps f32 vectors, and none', async () => {
    const index = new TaumodeIndex(L)
    await index.save(folder)
    const empty = await TaumodeIndex.load(folder)
    expect([empty.size, empty.tau]).toEqual([0, undefined])
    const x = { data: Float32Array.from(normalMatrix(1, 3, D).data), rows: 3, cols: D }
    empty.add(x)
    await empty.save(join(folder, 'deep', 'er'))
    expect((await TaumodeIndex.load(join(folder, 'deep', 'er'))).get(1).vector).toEqual(
      x.data.slice(D, 2 * D),
    )
  })

  it('is what it was when save was called', async () => {
    const index = sample()
    const before = index.search(query, 13)
    const saving = index.save(folder)
    index.remove([0, 1, 2])
    await saving
    expect((await TaumodeIndex.load(folder)).search(query, 13)).toEqual(before)
  })

  it('needs a folder', async () => {
    await sample().save(folder)
    await expect(sample().save(header)).rejects.toThrow(
      `save: ${header} must be a folder or a new name, got EEXIST`,
    )
    await expect(TaumodeIndex.load(join(folder, 'none'))).rejects.toThrow(/json must be readable, got ENOENT/)
    await rm(arrays)
    await expect(TaumodeIndex.load(folder)).rejects.toThrow(/safetensors must be readable, got ENOENT/)
  })
})

describe('a damaged index is refused', () => {
  it('if any byte of the arrays differs, or the last ones are missing', async () => {
    await sample().save(folder)
    const bytes = await readFile(arrays)
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Uint8Array.from(bytes)
        damaged[at] ^= change
        await writeFile(arrays, damaged)
        await expect(TaumodeIndex.load(folder)).rejects.toThrow(FormatError)
        await writeFile(arrays, bytes.subarray(0, at))
        await expect(TaumodeIndex.load(folder)).rejects.toThrow('must be the one that taumode-index.json')
      }),
      { seed: 9, numRuns: 25 },
    )
    await writeFile(arrays, Uint8Array.of(...bytes, 0))
    await expect(TaumodeIndex.load(folder)).rejects.toThrow(`must have at most ${bytes.length} bytes, got`)
  })

  it.each<[string, object, string]>([
    ['of another format', { format: 'tau' }, 'format must be "tau-taumode-index", got "tau"'],
    ['of another version', { version: 2 }, 'version must be 1, which this release reads, got 2'],
    ['of a broken count', { items: 1.5 }, 'items must be an integer of at least 0, got 1.5'],
    [
      'of more items',
      { items: 14 },
      '"vectors" must be Float32Array or Float64Array [14, 7], got F64 [13, 7]',
    ],
    ['of an absurd width', { dim: 2 ** 50 }, 'Float64Array [13, 1125899906842624], got F64 [13, 7]'],
    [
      'of no policy',
      { policy: 'median' },
      'policy must be an object with a known name, and a value if that name needs one, got "median"',
    ],
    ['of an unknown policy', { policy: { name: 'toString' } }, 'policy must be an object with a known name'],
    [
      'of a percentile of nothing',
      { policy: { name: 'percentile' } },
      'policy must be an object with a known name',
    ],
    ['of no τ', { tau: null }, 'tau must be above 0 for 13 items with policy median, got null'],
    ['of τ 0', { tau: 0 }, 'tau must be above 0 for 13 items with policy median, got 0'],
    [
      'of a shared τ that the policy has not',
      { policy: { name: 'reference-mean' } },
      'tau must be null for 13 items with policy reference-mean',
    ],
    ['of a negative ε', { eps: -1 }, 'eps must be a finite number of at least 0, got -1'],
    ['of dispersion 2', { dispersion: 2 }, 'dispersion must be a number between 0 and 1, got 2'],
    [
      'of a dispersion whose array is missing',
      { dispersion: 0.5 },
      '"dispersion" must be Float64Array [13], got none',
    ],
    [
      'of a next id that is taken',
      { next_id: 60 },
      '"ids" must be integers below next_id = 60, got 1099511627776',
    ],
    ['of a hash that is not a string', { sha256: 7 }, 'sha256 must be a string, got 7'],
  ])('by a header %s', async (_, change, message) => {
    await sample().save(folder)
    await writeFile(header, JSON.stringify({ ...JSON.parse(await readFile(header, 'utf8')), ...change }))
    await expect(TaumodeIndex.load(folder)).rejects.toThrow(FormatError)
    await expect(TaumodeIndex.load(folder)).rejects.toThrow(message)
  })

  it('by a header that is no object', async () => {
    await sample().save(folder)
    for (const text of ['[1]', 'null', '{"format": ']) {
      await writeFile(header, text)
      await expect(TaumodeIndex.load(folder)).rejects.toThrow(FormatError)
    }
  })

  const numbers = (length: number, first: number): NamedArray => ({
    shape: [length],
    data: new Float64Array(length).fill(first, 0, 1),
  })
  it.each<[string, string, NamedArray, string]>([
    ['ids twice', 'ids', numbers(13, 0), '"ids" must differ, got 1 different ones among 13 items'],
    ['a broken id', 'ids', numbers(13, 0.5), 'got 0.5 at element 0'],
    [
      'an infinite energy',
      'energy',
      numbers(13, Infinity),
      '"energy" must be finite and at least 0, got Infinity',
    ],
    [
      'NaN in a vector',
      'vectors',
      { shape: [13, D], data: new Float64Array(13 * D).fill(Number.NaN, 9, 10) },
      '"vectors" must be finite, got NaN at element 9',
    ],
    [
      'energies of another length',
      'energy',
      numbers(12, 1),
      '"energy" must be Float64Array [13], got F64 [12]',
    ],
    [
      'vectors of integers',
      'vectors',
      { shape: [13, D], data: new Int32Array(13 * D) },
      'must be Float32Array or Float64Array [13, 7], got I32 [13, 7]',
    ],
    [
      'values without columns',
      'laplacian.values',
      numbers(3, 1),
      '"laplacian.indices" must be Int32Array [3], got I32',
    ],
    [
      'columns outside L',
      'laplacian.indices',
      { shape: [L.indices.length], data: L.indices.map((j) => j + 2 ** 30) },
      'L columns of a row must ascend within 0 … 6',
    ],
    [
      'an L that is not symmetric',
      'laplacian.values',
      { shape: [L.values.length], data: L.values.map((v, n) => v * (n + 1)) },
      'L must be symmetric',
    ],
  ])('whose arrays lie by %s', async (_, name, array, message) => {
    await sample().save(folder)
    const { tensors } = decodeSafetensors(await readFile(arrays))
    const bytes = encodeSafetensors(new Map([...tensors, [name, array]]))
    const fields = JSON.parse(await readFile(header, 'utf8'))
    await writeFile(arrays, bytes)
    const honest = { ...fields, size_bytes: bytes.length, sha256: await sha256(bytes) }
    await writeFile(header, JSON.stringify(honest))
    await expect(TaumodeIndex.load(folder)).rejects.toThrow(message)
  })
})
