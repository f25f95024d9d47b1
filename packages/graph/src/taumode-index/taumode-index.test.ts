import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DenseMatrix } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import type { TauPolicy } from '../taumode/taumode.ts'
import { maxError, normalMatrix } from '../testing.ts'
import { TaumodeIndex, type TaumodeIndexOptions } from './taumode-index.ts'
import { laplacianOf, plainLambdas, plainSearch, rowOf } from './testing.ts'

const D = 7
const L = await laplacianOf(D)
const policies: TauPolicy[] = [
  { name: 'median' },
  { name: 'mean' },
  { name: 'percentile', value: 0.8 },
  { name: 'fixed', value: 0.3 },
  { name: 'reference-median' },
  { name: 'reference-mean' },
]

const indexOf = (x: DenseMatrix, options?: TaumodeIndexOptions, ids?: number[]): TaumodeIndex => {
  const index = new TaumodeIndex(L, options)
  index.add(x, { ids })
  return index
}

/** All answers that an index can give. */
const answers = (index: TaumodeIndex, query: ArrayLike<number>) => ({
  tau: index.tau,
  hits: index.search(query, index.size),
  order: index.byLambda(0, 1),
})

describe('λ of an index', () => {
  it.each(policies)('is taumode with and without dispersion: $name', (policy) => {
    const x = normalMatrix(1, 23, D)
    for (const dispersion of [0, 0.3, 1]) {
      const index = indexOf(x, { policy, dispersion })
      const expected = plainLambdas(x, L, policy, dispersion)
      const lambda = Array.from({ length: 23 }, (_, id) => index.get(id).lambda)
      expect(maxError(lambda, expected)).toBeLessThan(1e-14)
      expect(maxError(index.lambdaOf(x), lambda)).toBe(0)
      expect(index.get(3).dispersion === undefined).toBe(dispersion === 0)
    }
  })

  it('keeps τ of the first items until it is recalibrated', () => {
    const index = new TaumodeIndex(L)
    expect(index.tau).toBeUndefined()
    index.add(normalMatrix(1, 11, D))
    const { tau } = index
    const before = index.get(4)
    index.add(normalMatrix(2, 17, D))
    index.remove([0, 2])
    expect(index.tau).toBe(tau)
    expect(index.get(4)).toEqual(before)
    const ids = index.byLambda(0, 1)
    index.recalibrate()
    expect(index.tau).not.toBe(tau)
    expect(index.get(4).lambda).toBe(before.energy / (before.energy + (index.tau ?? 0)))
    expect(index.byLambda(0, 1)).toEqual(ids) // E / (E + τ) keeps the order
    index.remove(ids)
    expect(index.tau).not.toBeUndefined()
    index.recalibrate()
    expect(index.tau).toBeUndefined()
  })
})

describe('search', () => {
  it('is brute force over all items', () => {
    const cases = fc.record({
      seed: fc.nat(1000),
      rows: fc.integer({ min: 1, max: 40 }),
      alpha: fc.constantFrom(0, 0.7, 1, 3),
      beta: fc.constantFrom(0.3, 1, 2),
      dispersion: fc.constantFrom(0, 0.5),
      isF32: fc.boolean(),
    })
    fc.assert(
      fc.property(cases, ({ seed, rows, alpha, beta, dispersion, isF32 }) => {
        const normal = normalMatrix(seed, rows, D)
        const x = isF32 ? { ...normal, data: Float32Array.from(normal.data) } : normal
        const index = indexOf(x, { dispersion })
        const vector = rowOf(normalMatrix(seed + 1, 1, D), 0)
        const items = Array.from({ length: rows }, (_, id) => index.get(id))
        const expected = plainSearch(items, { vector, lambda: index.lambdaOf([vector])[0] }, alpha, beta)
        const found = index.search(vector, rows, { alpha, beta })
        expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
        for (const part of ['score', 'cosine', 'proximity', 'lambda'] as const) {
          // the sums have 7 products of unit size, in another order
          const error = maxError(
            found.map((hit) => hit[part]),
            expected.map((hit) => hit[part]),
          )
          expect(error).toBeLessThan(1e-14)
        }
        const k = 1 + (seed % rows)
        expect(index.search(vector, k, { alpha, beta })).toEqual(found.slice(0, k))
      }),
      { seed: 7, numRuns: 100 },
    )
  })

  it('has hand-derived parts, and defaults that say what they are', () => {
    const x = { data: Float64Array.of(3, 4, 0, 0, 0, 0, 0), rows: 1, cols: D }
    const index = indexOf(x, { policy: { name: 'fixed', value: 1 } })
    const query = [0, 2, 0, 0, 0, 0, 0]
    const [hit] = index.search(query, 1)
    const proximity = 1 / (1 + Math.abs(index.get(0).lambda - index.lambdaOf([query])[0]))
    expect(hit).toMatchObject({ id: 0, cosine: 0.8, proximity })
    expect(hit.score).toBe(0.7 * 0.8 + 0.3 * proximity)
    expect(index.search(query, 1, { alpha: 1, beta: 0 })[0].score).toBe(0.8)
  })

  it('gives equal scores to the smaller id', () => {
    const one = normalMatrix(3, 1, D)
    const copies = { data: Float64Array.from({ length: 9 * D }, (_, n) => one.data[n % D]), rows: 9, cols: D }
    const index = indexOf(copies, {}, [40, 7, 12, 3, 99, 0, 8, 5, 61])
    expect(index.search(one.data, 5).map(({ id }) => id)).toEqual([0, 3, 5, 7, 8])
    index.remove([0, 5])
    expect(index.search(one.data, 5).map(({ id }) => id)).toEqual([3, 7, 8, 12, 40])
    expect(index.byLambda(0, 1)).toEqual([3, 7, 8, 12, 40, 61, 99])
  })

  it('gives a row of zeros cosine 0 with every other, and λ 0', () => {
    const index = indexOf({ data: new Float64Array(2 * D).fill(1, 0, D).fill(0, D), rows: 2, cols: D })
    expect(index.get(1).lambda).toBe(0)
    expect(index.search(new Float64Array(D).fill(2), 2).map(({ cosine }) => cosine)).toEqual([1, 0])
    expect(index.search(new Float64Array(D), 2).map(({ cosine }) => cosine)).toEqual([0, 0])
  })

  it('ignores the length of the query but for ε', () => {
    const index = indexOf(normalMatrix(4, 31, D), { eps: 0 })
    const query = rowOf(normalMatrix(5, 1, D), 0)
    const ids = (scale: number) =>
      index
        .search(
          query.map((v) => v * scale),
          31,
        )
        .map(({ id }) => id)
    expect(ids(2 ** 300)).toEqual(ids(1))
    expect(ids(2 ** -300)).toEqual(ids(1))
  })
})

describe('byLambda', () => {
  it('is a filter of all items, in order', () => {
    const index = indexOf(normalMatrix(6, 97, D), { dispersion: 0.4 })
    index.remove([3, 50, 96])
    const lambdas = index.byLambda(0, 1).map((id) => index.get(id))
    expect(lambdas).toHaveLength(94)
    const bound = fc.oneof(
      fc.double({ min: -0.1, max: 1.1, noNaN: true }),
      fc.constantFrom(...lambdas.map(({ lambda }) => lambda)), // values on the bounds belong to the range
      fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
    )
    fc.assert(
      fc.property(bound, bound, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)]
        const expected = lambdas.filter(({ lambda }) => lambda >= low && lambda <= high)
        expected.sort((one, other) => one.lambda - other.lambda || one.id - other.id)
        expect(index.byLambda(low, high)).toEqual(expected.map(({ id }) => id))
      }),
      { seed: 8, numRuns: 300 },
    )
  })
})

describe('items that come and go', () => {
  it('leave the same index as one that is built from the items that stayed', () => {
    const pool = normalMatrix(9, 60, D)
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 9 }), isF32: fc.boolean() }),
      fc.record({ remove: fc.array(fc.nat(1000), { minLength: 1, maxLength: 5 }) }),
    )
    const query = rowOf(normalMatrix(10, 1, D), 0)
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(0, 0.3),
        (steps, dispersion) => {
          const index = new TaumodeIndex(L, { dispersion })
          const held = new Map<number, number[]>()
          let next = 0
          for (const step of steps) {
            if ('add' in step) {
              const rows = Array.from({ length: Math.min(step.add, 60 - next) }, (_, n) => {
                const row = rowOf(pool, next + n)
                return step.isF32 ? row.map(Math.fround) : row
              })
              if (rows.length === 0) continue
              const data = rows.flatMap((row) => Array.from(row))
              const x = { rows: rows.length, cols: D }
              const typed = step.isF32 ? Float32Array.from(data) : Float64Array.from(data)
              const ids = index.add({ ...x, data: typed })
              expect(ids).toEqual(rows.map((_, n) => next + n))
              for (const [n, id] of ids.entries()) held.set(id, Array.from(rows[n]))
              next += rows.length
            } else {
              const known = [...held.keys()]
              const ids = [
                ...new Set(step.remove.flatMap((n) => (known.length > 0 ? [known[n % known.length]] : []))),
              ]
              index.remove(ids)
              for (const id of ids) held.delete(id)
            }
          }
          expect(index.size).toBe(held.size)
          index.recalibrate()
          if (held.size === 0) return
          const anew = new TaumodeIndex(L, { dispersion })
          anew.add([...held.values()].toReversed(), { ids: [...held.keys()].toReversed() })
          expect(answers(index, query)).toEqual(answers(anew, query))
          for (const [id, vector] of held) expect(Array.from(index.get(id).vector)).toEqual(vector)
          for (let id = 0; id < next; id++) expect(index.has(id)).toBe(held.has(id))
        },
      ),
      { seed: 11, numRuns: 150 },
    )
  })

  it('keep f32 vectors as they are until f64 ones come', () => {
    const x = { data: Float32Array.from(normalMatrix(12, 3, D).data), rows: 3, cols: D }
    const index = indexOf(x)
    expect(index.get(1).vector).toEqual(x.data.slice(D, 2 * D))
    index.remove(index.add([x.data.slice(0, D)]))
    expect(index.get(1).vector).toBeInstanceOf(Float32Array)
    const before = answers(index, x.data.subarray(0, D))
    const [id] = index.add([rowOf(normalMatrix(13, 1, D), 0)])
    expect(index.get(id).vector).toEqual(rowOf(normalMatrix(13, 1, D), 0))
    expect(index.get(1).vector).toEqual(rowOf(x, 1))
    index.remove(id)
    expect(answers(index, x.data.subarray(0, D))).toEqual(before)
  })

  it('never get an id that was used before', () => {
    const index = indexOf(normalMatrix(1, 3, D), {}, [5, 9, 2])
    index.remove(9)
    expect(index.add(normalMatrix(2, 2, D))).toEqual([10, 11])
  })
})

describe('an index refuses', () => {
  const index = indexOf(normalMatrix(1, 5, D))
  const row = (...values: number[]) => [Float64Array.from({ length: D }, (_, n) => values[n] ?? 1)]
  const query = new Float64Array(D).fill(1)
  it.each<[string, () => unknown, string]>([
    [
      'rows of another width',
      () => index.add(normalMatrix(1, 2, 5)),
      'add: rows must be as wide as L, D = 7, got [2, 5]',
    ],
    [
      'NaN',
      () => index.add(row(1, Number.NaN)),
      'add: every element must be finite, got NaN at row 0, column 1',
    ],
    ['no rows', () => index.add([]), 'add: a matrix needs at least one row and one column, got [0, 0]'],
    [
      'rows too large for squares',
      () => index.add([new Float64Array(D), new Float64Array(D).fill(1e130)]),
      'add: the largest magnitude in a row must be 0 or between 1e-120 and 1e120, got 1e+130 in row 1',
    ],
    ['rows too small', () => index.add(row(...new Array(D).fill(1e-200))), 'got 1e-200 in row 0'],
    [
      'too few ids',
      () => index.add(row(), { ids: [] }),
      'add: there must be one id per row, got 0 ids for 1 rows',
    ],
    [
      'an id that is no integer',
      () => index.add(row(), { ids: [1.5] }),
      'got 1.5 in row 0; number the items',
    ],
    ['a negative id', () => index.add(row(), { ids: [-1] }), 'integers from 0 to 9007199254740990, got -1'],
    ['an id without a next', () => index.add(row(), { ids: [2 ** 53 - 1] }), 'got 9007199254740991 in row 0'],
    [
      'an id that is taken',
      () => index.add(row(), { ids: [3] }),
      'ids must be new, got 3 in row 0, which is in use',
    ],
    [
      'an id twice',
      () => index.add([...row(), ...row()], { ids: [8, 8] }),
      'add: ids must differ, got 8 in rows 0 and 1',
    ],
    ['an unknown id', () => index.remove(7), 'remove: id must be one of the 5 items, got 7'],
    ['an unknown id among others', () => index.remove([0, 7]), 'got 7'],
    ['an id named twice', () => index.remove([1, 1]), 'remove: ids must differ, got 1 twice'],
    ['to get what it lacks', () => index.get(-1), 'get: id must be one of the 5 items, got -1'],
    [
      'k beyond its items',
      () => index.search(query, 6),
      'search: k must be an integer between 1 and 5, got 6',
    ],
    ['k of 0', () => index.search(query, 0), 'got 0; change k or add items'],
    ['a short query', () => index.search([1, 2], 1), 'search: rows must be as wide as L, D = 7, got [1, 2]'],
    [
      'a query with NaN',
      () => index.search(row(Number.NaN)[0], 1),
      'search: every element must be finite, got NaN',
    ],
    [
      'a negative weight',
      () => index.search(query, 1, { alpha: -1 }),
      'alpha must be finite and at least 0, got -1',
    ],
    [
      'a weight of NaN',
      () => index.search(query, 1, { beta: Number.NaN }),
      'beta must be finite and at least 0, got NaN',
    ],
    [
      'a range upside down',
      () => index.byLambda(0.5, 0.2),
      'byLambda: low must be at most high, got 0.5 and 0.2',
    ],
    ['a range from NaN', () => index.byLambda(Number.NaN, 1), 'got NaN and 1'],
    ['a search without items', () => new TaumodeIndex(L).search(query, 1), 'got 1; add items first'],
    ['λ without τ', () => new TaumodeIndex(L).lambdaOf([query]), 'lambdaOf: tau must be known'],
    ['a dispersion beyond 1', () => new TaumodeIndex(L, { dispersion: 1.1 }), 'between 0 and 1, got 1.1'],
    ['a negative eps', () => new TaumodeIndex(L, { eps: -1 }), 'eps must be finite and at least 0, got -1'],
    [
      'a percentile beyond 1',
      () => new TaumodeIndex(L, { policy: { name: 'percentile', value: 2 } }),
      'percentile must be between 0 and 1, got 2',
    ],
    [
      'an L that is not definite',
      () => new TaumodeIndex({ ...L, values: L.values.map((v) => -v) }),
      'semidefinite',
    ],
    [
      'an L so large that energies overflow',
      () => {
        const large = new TaumodeIndex({ ...L, values: L.values.map((v) => v * 1e305) })
        large.add([Float64Array.from({ length: D }, (_, n) => (n % 2 ? 1e4 : -1e4))])
      },
      'add: energies and dispersions must be finite',
    ],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(GraphError)
    expect(act).toThrow(message)
    expect(index.size).toBe(5) // either all are added or none
    expect(index.byLambda(0, 1)).toHaveLength(5)
  })
})
