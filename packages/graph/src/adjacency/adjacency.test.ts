import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kneighbors } from '../neighbors/kneighbors.ts'
import { radiusNeighbors } from '../neighbors/radius-neighbors.ts'
import { csrFromCoo, csrFromDense, symmetryError, toCoo, toDense } from '../sparse/csr.ts'
import { maxError, normalMatrix } from '../testing.ts'
import { type AffinityOptions, affinity } from './affinity.ts'
import { csrFromNeighbors, kneighborsGraph } from './kneighbors-graph.ts'
import { type Symmetrization, symmetrize } from './symmetrize.ts'

const csrOf = (rows: number[][]) =>
  csrFromDense({ data: Float64Array.from(rows.flat()), rows: rows.length, cols: rows[0].length })

describe('kneighborsGraph', () => {
  // four points on a line, the last two at the same place
  const line = { data: Float64Array.of(0, 1, 3, 3), rows: 4, cols: 1 }

  it('holds k neighbours a row, with a stored 0 between copies', async () => {
    const graph = await kneighborsGraph(line, { k: 2, mode: 'distance' })
    expect([...graph.indptr]).toEqual([0, 2, 4, 6, 8])
    expect([...graph.indices]).toEqual([1, 2, 0, 2, 1, 3, 1, 2]) // points 2 and 3 are equally far from 0, so 2 is taken
    expect([...graph.values]).toEqual([1, 3, 1, 2, 2, 0, 2, 0])
    expect([...(await kneighborsGraph(line, { k: 1, includeSelf: true })).indices]).toEqual([0, 1, 2, 3])
  })

  it('is made of lists of any length too, and keeps to eps', async () => {
    const lists = await radiusNeighbors(line, { radius: 1 })
    const graph = csrFromNeighbors(lists, { mode: 'distance', includeSelf: true })
    expect(await kneighborsGraph(line, { k: 3, eps: 1, mode: 'distance', includeSelf: true })).toEqual(graph)
    expect(toCoo(graph)).toMatchObject({
      row: Int32Array.of(0, 0, 1, 1, 2, 2, 3, 3),
      col: Int32Array.of(0, 1, 0, 1, 2, 3, 2, 3),
      value: Float64Array.of(0, 1, 1, 0, 0, 0, 0, 0),
    })
    expect(() => csrFromNeighbors({ ...lists, indices: lists.indices.map(() => 4) })).toThrow(
      'neighbours must be nodes from 0 to 3, got 4 in the list of node 0',
    )
  })

  it('takes other metrics, arrays of rows, and what the search takes', async () => {
    const { data, rows, cols } = normalMatrix(3, 11, 5)
    const lists = await kneighbors({ data, cols }, { k: 3, metric: 'cosine' })
    const arrays = Array.from({ length: rows }, (_, i) => [...data.subarray(i * cols, (i + 1) * cols)])
    const told: number[] = []
    const graph = await kneighborsGraph(arrays, {
      ...{ k: 3, metric: 'cosine', mode: 'distance' },
      onProgress: ({ fraction }) => void told.push(fraction),
    })
    expect(graph).toEqual(csrFromNeighbors(lists, { mode: 'distance' }))
    expect(told.at(-1)).toBe(1)
  })

  it('names what is wrong', async () => {
    await expect(kneighborsGraph(line, { k: 4 })).rejects.toThrow(
      'kneighborsGraph: k must be an integer between 1 and 3, got 4; there are 4 points',
    )
    await expect(kneighborsGraph(line, { k: 5, includeSelf: true })).rejects.toThrow('between 1 and 4, got 5')
    await expect(kneighborsGraph(line, { k: 1, mode: 'far' as 'distance' })).rejects.toThrow("got 'far'")
    const broken = { ...line, data: Float64Array.of(0, Number.NaN, 3, 3) }
    await expect(kneighborsGraph(broken, { k: 1, includeSelf: true })).rejects.toThrow(
      'kneighborsGraph: every element must be finite, got NaN at row 1, column 0',
    )
  })
})

describe('affinity', () => {
  const distances = csrOf([
    [0, 1, 2],
    [1, 0, 4],
    [2, 4, 0],
  ])
  const weigh = (options: AffinityOptions) => [...affinity(distances, options).values]

  it('have their hand-derived values', () => {
    expect(
      maxError(weigh({ kernel: 'gaussian', sigma: 2 }).slice(0, 2), [Math.exp(-1 / 8), Math.exp(-1 / 2)]),
    ).toBe(0)
    expect(weigh({ kernel: 'rational', sigma: 2 })).toEqual([0.8, 0.5, 0.8, 0.2, 0.5, 0.2]) // 1 / (1 + (d/2)²)
    // the second neighbours are at the distances 2, 4 and 4
    const tuned = weigh({ kernel: 'self-tuning', k: 2 })
    expect(
      maxError(
        tuned,
        [1 / 8, 1 / 2, 1 / 8, 1, 1 / 2, 1].map((v) => Math.exp(-v)),
      ),
    ).toBeLessThan(1e-15)
    expect(weigh({ kernel: 'self-tuning' })).toEqual(tuned) // rows have fewer than 7 neighbours, so the last one counts
  })

  it('self-tuned survive copies: a scale of 0 becomes the least positive distance', () => {
    const copies = csrFromCoo({
      nRows: 3,
      nCols: 3,
      row: [0, 0, 1, 1, 2, 2],
      col: [1, 2, 0, 2, 0, 1],
      value: [0, 2, 0, 2, 2, 2],
    })
    expect([...affinity(copies, { kernel: 'self-tuning', k: 1 }).values]).toEqual(
      [0, 1, 0, 1, 1, 1].map((v) => Math.exp(-v)),
    )
  })

  it('name what is wrong', () => {
    expect(() => weigh({ kernel: 'gaussian', sigma: 0 })).toThrow(
      'sigma must be a positive finite number, got 0',
    )
    expect(() => weigh({ kernel: 'self-tuning', k: 0 })).toThrow('k must be an integer')
    expect(() => weigh({ kernel: 'box', sigma: 1 } as never)).toThrow("got 'box'")
    expect(() => affinity(csrOf([[0, -1]]), { sigma: 1 })).toThrow('got -1 at (0, 1)')
    expect(() => affinity(csrOf([[0, Number.NaN]]), { sigma: 1 })).toThrow('got NaN at (0, 1)')
  })
})

describe('symmetrize', () => {
  const directed = csrOf([
    [5, 1, 0],
    [3, 0, 2],
    [0, 0, 0],
  ])
  const expected: Record<Symmetrization, number[]> = {
    union: [5, 3, 0, 3, 0, 2, 0, 2, 0],
    mutual: [5, 1, 0, 1, 0, 0, 0, 0, 0],
    average: [5, 2, 0, 2, 0, 1, 0, 1, 0],
    max: [5, 3, 0, 3, 0, 2, 0, 2, 0],
  }

  it.each(Object.entries(expected))('by %s', (how, dense) => {
    expect([...toDense(symmetrize(directed, how as Symmetrization)).data]).toEqual(dense)
  })

  it('tells union from max where a value is negative', () => {
    const negative = csrOf([
      [0, -1],
      [0, 0],
    ])
    expect([...toDense(symmetrize(negative, 'union')).data]).toEqual([0, -1, -1, 0])
    expect([...toDense(symmetrize(negative, 'max')).data]).toEqual([0, 0, 0, 0])
  })

  it('is symmetric in bits, and leaves a symmetric graph alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.constantFrom<Symmetrization>('union', 'mutual', 'average', 'max'),
        async (seed, how) => {
          const graph = await kneighborsGraph(normalMatrix(seed, 13, 3), { k: 3, mode: 'distance' })
          const result = symmetrize(graph, how)
          expect(symmetryError(result).error).toBe(0)
          expect(symmetrize(result, how)).toEqual(result)
        },
      ),
      { seed: 4, numRuns: 60 },
    )
  })

  it('names what is wrong', () => {
    expect(() => symmetrize(csrOf([[1, 2]]), 'max')).toThrow('must be square, got [1, 2]')
    expect(() => symmetrize(directed, 'min' as Symmetrization)).toThrow(
      "how must be one of union, mutual, average, max, got 'min'",
    )
    expect(() => symmetrize(csrOf([[Number.NaN]]), 'max')).toThrow('values must be finite, got NaN at (0, 0)')
  })
})
