import { type CpuOptions, cpu, type Device, type GemmLibrary, Random } from '@tau/tensor'
import type { CpuEngine } from '@tau/tensor/kernel'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../dense/matrix.ts'
import { transposed } from '../dense/multiply.ts'
import { kneighbors } from '../neighbors/kneighbors.ts'
import { normalMatrix } from '../testing.ts'
import { featureNeighbors } from './feature-neighbors.ts'
import { GramSums, gramOf } from './gram.ts'

/** Σ over rows of (x_i − c_i)(x_j − c_j) by plain loops in f64; c are the column means or 0. */
const reference = ({ data, rows, cols }: DenseMatrix, center: boolean): Float64Array => {
  const mean = new Float64Array(cols)
  if (center) for (let n = 0; n < data.length; n++) mean[n % cols] += data[n] / rows
  const out = new Float64Array(cols * cols)
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < cols; i++) {
      const left = data[r * cols + i] - mean[i]
      for (let j = 0; j < cols; j++) out[i * cols + j] += left * (data[r * cols + j] - mean[j])
    }
  }
  return out
}

/** Largest |found − expected| over √(expected_ii expected_jj): the error of a cosine. */
const cosineError = (found: Float64Array, expected: Float64Array, cols: number): number => {
  let worst = 0
  for (let i = 0; i < cols; i++) {
    for (let j = 0; j < cols; j++) {
      const scale = Math.sqrt(expected[i * cols + i] * expected[j * cols + j])
      worst = Math.max(worst, Math.abs(found[i * cols + j] - expected[i * cols + j]) / scale)
    }
  }
  return worst
}

const f32 = (x: DenseMatrix): DenseMatrix => ({ ...x, data: Float32Array.from(x.data) })

/** Columns that vary by about 1 around means of ±`mean` / 2 to ±`mean`. */
const offset = (seed: number, rows: number, cols: number, mean: number): DenseMatrix => {
  const random = new Random(seed, 1)
  const means = Float64Array.from(
    { length: cols },
    (_, j) => ((j % 2 ? 1 : -1) * mean * (1 + random.float())) / 2,
  )
  const x = normalMatrix(seed, rows, cols)
  return f32({ ...x, data: x.data.map((v, n) => v + means[n % cols]) })
}

/** The products without a shift: f32 within a chunk, f64 between chunks. */
const unshifted = ({ data, rows, cols }: DenseMatrix, chunk: number): Float64Array => {
  const out = new Float64Array(cols * cols)
  for (let r0 = 0; r0 < rows; r0 += chunk) {
    for (let n = 0; n < out.length; n++) {
      let sum = 0
      for (let r = r0; r < Math.min(rows, r0 + chunk); r++) {
        const row = r * cols
        sum = Math.fround(sum + Math.fround(data[row + Math.floor(n / cols)] * data[row + (n % cols)]))
      }
      out[n] += sum
    }
  }
  return out
}

describe('gramOf', () => {
  it.each([false, true])('is XᵀX in f64, centred %s', (center) => {
    for (const [rows, cols] of [
      [1, 1],
      [2, 3],
      [7, 5],
      [771, 13],
      [1543, 2],
    ]) {
      const x = offset(rows, rows, cols, 10)
      const { products, mean, scale } = gramOf(x, { center })
      // the tolerance is that of f64 sums of 1543 products of size 100, and of the terms that are subtracted
      // again
      const expected = reference(x, center)
      const size = Math.max(1, ...x.data.map(Math.abs)) ** 2 * rows
      for (let n = 0; n < expected.length; n++)
        expect(Math.abs(products[n] - expected[n])).toBeLessThan(1e-14 * size)
      expect(scale).toBe(1)
      for (let j = 0; j < cols; j++) {
        let sum = 0
        for (let r = 0; r < rows; r++) sum += x.data[r * cols + j]
        expect(mean[j]).toBeCloseTo(sum / rows, 12)
      }
    }
  })

  it('takes any magnitude that f64 holds', () => {
    for (const factor of [2 ** 700, 2 ** -700]) {
      const x = normalMatrix(3, 17, 5)
      const { products, scale } = gramOf({ ...x, data: x.data.map((v) => v * factor) })
      const plain = gramOf(x)
      // both are scaled by powers of two, which is exact
      const ratio = (scale * factor) / plain.scale
      for (let n = 0; n < products.length; n++)
        expect(products[n] / ratio ** 2).toBeCloseTo(plain.products[n], 10)
    }
  })

  it('names the column whose squares leave the range', () => {
    const x = { data: Float64Array.from({ length: 1600 }, () => 1), rows: 800, cols: 2 }
    x.data[1599] = 1e200
    expect(() => gramOf(x)).toThrow(/squares must be finite, got a sum of (Infinity|NaN) in column 1/)
  })
})

/** A stand-in for a BLAS, in plain JavaScript. */
const naive: GemmLibrary = {
  open: () => ({
    name: 'naive',
    source: `
    return (transA, transB, m, n, k, a, lda, b, ldb, adds, c, ldc) => {
      const x = new Float32Array(memory.buffer)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0
          for (let l = 0; l < k; l++)
            sum += x[a / 4 + (transA ? l * lda + i : i * lda + l)] * x[b / 4 + (transB ? j * ldb + l : l * ldb + j)]
          x[c / 4 + i * ldc + j] = adds ? x[c / 4 + i * ldc + j] + sum : sum
        }
    }`,
  }),
}

describe.each<[string, CpuOptions]>([
  ['plain SIMD, 1 thread', { simd: 'plain', threads: 1 }],
  ['relaxed SIMD, 2 threads', { simd: 'relaxed', threads: 2 }],
  ['wide SIMD, 2 threads', { simd: 'wide', threads: 2 }],
  ['a library, 2 threads', { gemm: naive, threads: 2 }],
])('GramSums on a device, %s', (_, options) => {
  let device: Device
  let engine: CpuEngine
  beforeAll(async () => {
    device = await cpu(options)
    if (device.engine.backend !== 'cpu') throw new Error('a cpu device has a cpu engine')
    engine = device.engine
  })
  afterAll(() => device.close())

  const gram = (x: DenseMatrix, blocks: number[] = [x.rows], center = false) => {
    using sums = new GramSums('gram', x.cols, engine)
    let at = 0
    for (const rows of blocks) {
      sums.add({ data: x.data.subarray(at * x.cols, (at + rows) * x.cols), rows, cols: x.cols })
      at += rows
    }
    return sums.result({ center })
  }

  it.each([
    [1, 1],
    [2, 5],
    [61, 16],
    [769, 47],
    [1537, 53],
    [97, 479],
    [40, 481],
    [33, 967],
  ])('of [%i, %i] is XᵀX', (rows, cols) => {
    const x = f32(normalMatrix(5, rows, cols))
    // each product and a sum of 768 are rounded to f32, which gives a few times √768 · 2⁻²⁴
    expect(cosineError(gram(x).products, reference(x, false), cols)).toBeLessThan(3e-6)
  })

  it('has the same bits for any blocks', () => {
    const x = f32(normalMatrix(6, 7001, 19))
    const whole = gram(x)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2500 }), { maxLength: 12 }), (sizes) => {
        const blocks: number[] = []
        let left = x.rows
        for (const size of sizes) if (size < left) left -= blocks[blocks.push(size) - 1]
        expect(gram(x, [...blocks, left])).toEqual(whole)
      }),
      { seed: 1, numRuns: 20 },
    )
  })

  it('multiplies rows in its own memory in place, with the same bits', () => {
    const x = f32(normalMatrix(13, 6200, 29))
    using sums = new GramSums('gram', 29, engine)
    const [a, b] = [0, 1].map(() => sums.buffer(2400 * 29 * 4))
    let at = 0
    // whole chunks and parts, with and without held rows before them
    for (const rows of [1536, 768, 2400, 1000, 496]) {
      const { buffer, byteOffset } = at % 2 ? a : b
      const data = new Float32Array(buffer, byteOffset, rows * 29)
      data.set(x.data.subarray(at * 29, (at + rows) * 29))
      sums.add({ data, rows, cols: 29 })
      at += rows
    }
    expect(sums.result({ center: false })).toEqual(gram(x))
  })

  it('loses nothing to means a thousand times as large as the deviations', () => {
    const x = offset(7, 3001, 11, 1000)
    const expected = reference(x, true)
    expect(cosineError(gram(x, undefined, true).products, expected, 11)).toBeLessThan(3e-6)
    // without centring, cosines differ from ±1 by only 10⁻⁶; six digits of that are correct
    const plain = reference(x, false)
    expect(cosineError(gram(x).products, plain, 11)).toBeLessThan(2e-11)
    // f32 products without the shift lose these digits
    expect(cosineError(unshifted(x, 768), plain, 11)).toBeGreaterThan(1e-7)
  })

  it('reads f64 rows too, and rows of zeros add nothing', () => {
    const x = normalMatrix(8, 31, 7)
    const { products } = gram(x)
    expect(cosineError(products, reference(x, false), 7)).toBeLessThan(1e-6)
    const padded = { data: Float64Array.of(...x.data, ...new Float64Array(49)), rows: 38, cols: 7 }
    expect(cosineError(gram(padded).products, products, 7)).toBeLessThan(1e-6)
  })

  it('finds what is not finite, row and column', () => {
    const x = f32(normalMatrix(12, 12_345, 7))
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const row of [0, 700, 12_300]) {
        const data = x.data.slice()
        data[row * 7 + 4] = value
        expect(() => gram({ ...x, data })).toThrow(
          `gram: every element must be finite, got ${value} at row ${row}, column 4; remove`,
        )
      }
    }
  })

  it('frees what it took', () => {
    const before = engine.peakBytes
    for (let n = 0; n < 3; n++) gram(f32(normalMatrix(9, 100, 11)))
    const after = engine.peakBytes
    gram(f32(normalMatrix(9, 100, 11)))
    expect(engine.peakBytes).toBe(after)
    expect(after).toBeGreaterThanOrEqual(before)
  })
})

it('gives the same bits on one thread and on two', async () => {
  const x = f32(normalMatrix(10, 4000, 101))
  const results = []
  for (const threads of [1, 2]) {
    const device = await cpu({ threads, simd: 'relaxed' })
    if (device.engine.backend !== 'cpu') throw new Error('a cpu device has a cpu engine')
    using sums = new GramSums('gram', x.cols, device.engine)
    sums.add(x)
    results.push(sums.result({ center: false }))
    await device.close()
  }
  expect(results[1]).toEqual(results[0])
})

describe('featureNeighbors', () => {
  it.each(['cosine', 'cosine-unrectified', 'euclidean'] as const)(
    'are those of kneighbors: %s',
    async (metric) => {
      const x = normalMatrix(11, 41, 23)
      const found = featureNeighbors(gramOf(x), { k: 6, metric, eps: null })
      const expected = await kneighbors(transposed(x), { k: 6, metric })
      expect(found.indices).toEqual(expected.indices)
      for (let n = 0; n < found.distances.length; n++)
        expect(found.distances[n]).toBeCloseTo(expected.distances[n], 12)
    },
  )

  it('puts copies at distance 0, zeros at cosine 0, and keeps to eps', () => {
    const x = { data: Float64Array.of(1, 1, 0, 2, 2, 0, -1, -1, 0, 4, 4, 0), rows: 4, cols: 3 }
    const lists = featureNeighbors(gramOf(x), { k: 2, metric: 'cosine', eps: null })
    expect([...lists.distances]).toEqual([0, 1, 0, 1, 1, 1])
    expect(featureNeighbors(gramOf(x), { k: 2, metric: 'cosine', eps: 0.5 }).indptr).toEqual(
      Int32Array.of(0, 1, 2, 2),
    )
    expect(() => featureNeighbors(gramOf(x), { k: 3, metric: 'cosine', eps: null })).toThrow(
      'k must be an integer between 1 and 2 (nodes - 1), got 3; lower k or raise dim',
    )
    expect(() => featureNeighbors(gramOf(x), { k: 1, metric: 'cosine', eps: -1 })).toThrow('eps must be null')
  })
})
