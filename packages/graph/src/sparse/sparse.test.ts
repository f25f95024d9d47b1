import { cpu, gpu } from '@tau/tensor'
import fc from 'fast-check'
import { Matrix } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { normalMatrix } from '../testing.ts'
import { connectedComponents } from './components.ts'
import { checkCsr, csrFromCoo, csrFromDense, spmm, toDense, valueAt } from './csr.ts'
import { DeviceCsr } from './device-csr.ts'
import { csrFromMlMatrix, toMlMatrix } from './ml-matrix.ts'
import { breadthFirstOrder, permuted } from './reorder.ts'
import { sliceCsr } from './slice.ts'

const csrOf = (rows: number[][]) =>
  csrFromDense({ data: Float64Array.from(rows.flat()), rows: rows.length, cols: rows[0].length })

const rowsOf = (m: ReturnType<typeof csrOf>) =>
  Array.from({ length: m.nRows }, (_, i) => [...toDense(m).data.slice(i * m.nCols, (i + 1) * m.nCols)])

/** A random graph of `n` nodes as symmetric Csr. */
const graphOf = (n: number, edges: [number, number][]) =>
  csrFromCoo({
    nRows: n,
    nCols: n,
    row: edges.flatMap(([i, j]) => (i === j ? [i] : [i, j])),
    col: edges.flatMap(([i, j]) => (i === j ? [j] : [j, i])),
    value: edges.flatMap(([i, j]) => (i === j ? [1] : [1, 1])),
  })
const edges = fc.array(fc.tuple(fc.nat(10), fc.nat(10)), { maxLength: 14 })

describe('connectedComponents', () => {
  it('numbers them by their first node', () => {
    // 0 - 3, 1 alone, 2 → 4 in one direction, and a stored zero, which joins no nodes
    const graph = csrFromCoo({
      nRows: 5,
      nCols: 5,
      row: [0, 3, 2, 1],
      col: [3, 0, 4, 4],
      value: [1, 1, 1, 0],
    })
    expect(connectedComponents(graph)).toEqual({ count: 3, labels: Int32Array.of(0, 1, 2, 0, 2) })
  })

  it('agree with union-find', () => {
    fc.assert(
      fc.property(edges, (list) => {
        const parent = Array.from({ length: 11 }, (_, i) => i)
        const root = (i: number): number => (parent[i] === i ? i : root(parent[i]))
        for (const [i, j] of list) parent[Math.max(root(i), root(j))] = Math.min(root(i), root(j))
        const { count, labels } = connectedComponents(graphOf(11, list))
        const roots = parent.map((_, i) => root(i))
        expect(count).toBe(new Set(roots).size)
        for (let i = 0; i < 11; i++) {
          for (let j = 0; j < 11; j++) expect(labels[i] === labels[j]).toBe(roots[i] === roots[j])
        }
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('refuse a matrix that is not a graph', () => {
    expect(() => connectedComponents(csrOf([[1, 2]]))).toThrow('must be square, got [1, 2]')
    expect(() =>
      connectedComponents({
        ...csrOf([
          [0, 1],
          [1, 0],
        ]),
        indices: Int32Array.of(1, 7),
      }),
    ).toThrow(
      // biome-ignore format: short
      'got 7 after -1 in row 1',
    )
  })
})

describe('sliceCsr', () => {
  const m = csrOf([
    [1, 0, 2],
    [0, 3, 4],
    [5, 6, 0],
  ])

  it('takes rows and columns in the order of the lists', () => {
    expect(rowsOf(sliceCsr(m, { rows: [2, 0, 2] }))).toEqual([
      [5, 6, 0],
      [1, 0, 2],
      [5, 6, 0],
    ])
    const both = sliceCsr(m, { rows: [1, 2], cols: [2, 1] })
    checkCsr('test', both)
    expect(rowsOf(both)).toEqual([
      [4, 3],
      [0, 6],
    ])
    expect(sliceCsr(m, {})).toEqual(m)
  })

  it('names a number out of range and a repeated column', () => {
    expect(() => sliceCsr(m, { rows: [0, 3] })).toThrow(
      'sliceCsr: every row must be an integer between 0 and 2, got 3 at 1',
    )
    expect(() => sliceCsr(m, { cols: [-1] })).toThrow(
      'every column must be an integer between 0 and 2, got -1 at 0',
    )
    expect(() => sliceCsr(m, { cols: [1, 1] })).toThrow('a column must be listed once, got 1 at 0 and 1')
  })
})

it('goes to ml-matrix and back', () => {
  const m = csrOf([
    [1, 0, 2],
    [0, 0, 4],
  ])
  expect(toMlMatrix(m).to2DArray()).toEqual([
    [1, 0, 2],
    [0, 0, 4],
  ])
  expect(csrFromMlMatrix(new Matrix([[1, 0, 2], [0, 0, 4]]))).toEqual(m) // biome-ignore format: short
})

it('a breadth-first order is a permutation, and permuted matrices are well formed', () => {
  fc.assert(
    fc.property(edges, (list) => {
      const graph = graphOf(11, list)
      const order = breadthFirstOrder(graph)
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, i) => i))
      const result = permuted(graph, order)
      checkCsr('test', result)
      for (let i = 0; i < 11; i++) {
        for (let j = 0; j < 11; j++) expect(valueAt(result, i, j)).toBe(valueAt(graph, order[i], order[j]))
      }
    }),
    { seed: 2, numRuns: 100 },
  )
})

describe('DeviceCsr', () => {
  it.each([1, 7, 8, 19])('gives the bits of spmm, %i columns', async (cols) => {
    const device = await cpu({ threads: 2 })
    const m = csrFromDense({
      ...normalMatrix(1, 1201, 37),
      data: normalMatrix(1, 1201, 37).data.map((v) => (v > 1 ? v : 0)),
    })
    using resident = new DeviceCsr(m, device)
    const x = normalMatrix(2, 37, cols)
    expect(resident.spmm(x)).toEqual(spmm(m, x))
    expect(() => resident.spmm(normalMatrix(2, 36, cols))).toThrow(
      `spmm: x must have nCols = 37 rows, got [36, ${cols}]`,
    )
    await device.close()
  })

  it('needs a cpu device', async () => {
    const device = await gpu({ mode: 'cpu' })
    expect(() => new DeviceCsr(csrOf([[1]]), device)).toThrow(
      'DeviceCsr: the device must be a cpu device (f64 kernels), got gpu',
    )
    await device.close()
  })
})
