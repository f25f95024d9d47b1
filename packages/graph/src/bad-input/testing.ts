import type * as graph from '../index.ts'

/** What goes in, and what must happen: a GraphError with this message, or the result that the docstring
 *  promises. */
export type Case = readonly [input: string, run: () => unknown, expected: string | { gives: unknown }]

export const { NaN: nan, POSITIVE_INFINITY: infinity } = Number
export const dense = (rows: number, cols: number, ...data: number[]): graph.DenseMatrix => ({
  data: Float64Array.from(data),
  rows,
  cols,
})
export const csr = (
  indptr: number[],
  indices: number[],
  values: number[],
  nCols = indptr.length - 1,
): graph.Csr => ({
  nRows: indptr.length - 1,
  nCols,
  indptr: Int32Array.from(indptr),
  indices: Int32Array.from(indices),
  values: Float64Array.from(values),
})

// Four points in the plane.
export const points = dense(4, 2, 0, 1, 2, 3, 4, 0, 1, 1)
export const withNaN = dense(4, 2, 0, 1, 2, nan, 4, 0, 1, 1)
export const withInfinity = dense(4, 2, 0, 1, 2, 3, infinity, 0, 1, 1)
export const tooShort = { ...points, data: points.data.subarray(0, 7) }
/** A header that claims 10¹⁸ numbers. */
export const claimed = { ...points, rows: 1e9, cols: 1e9 }
export const ragged = [[0, 1], [2], [3, 4]]
export const one = dense(1, 2, 3, 4)
export const zeros = dense(3, 2, 0, 0, 0, 0, 1, 0)
export const copies = dense(3, 2, 5, 6, 5, 6, 5, 6)

// The path 0 – 1 – 2, and everything that can be wrong with it.
export const path = csr([0, 1, 3, 4], [1, 0, 2, 1], [1, 1, 1, 1])
export const L = csr([0, 2, 5, 7], [0, 1, 0, 1, 2, 1, 2], [1, -1, -1, 2, -1, -1, 1])
export const onTwo = csr([0, 2, 4], [0, 1, 0, 1], [1, -1, -1, 1])
export const short = { ...path, indptr: Int32Array.of(0, 1, 4) }
export const falling = csr([0, 3, 1, 4], [1, 0, 2, 1], [1, 1, 1, 1])
export const outside = csr([0, 1, 3, 4], [1, 0, 7, 1], [1, 1, 1, 1])
export const unsorted = csr([0, 1, 3, 4], [1, 2, 0, 1], [1, 1, 1, 1])
export const uneven = { ...path, indices: Int32Array.of(1, 0, 2) }
export const oversized = { ...path, nCols: 1e12 }
export const directed = csr([0, 1, 2, 2], [1, 2], [1, 1])
export const negative = csr([0, 1, 3, 4], [1, 0, 2, 1], [1, 1, -2, -2])
export const nanAt = csr([0, 1, 3, 4], [1, 0, 2, 1], [1, 1, nan, nan])
export const wide = csr([0, 1], [1], [1], 2)
export const single = csr([0, 0], [], [])
export const empty = csr([0, 0, 0, 0], [], [])

export const lists = { nNodes: 3, indptr: Int32Array.of(0, 1, 2, 3), indices: Int32Array.of(1, 2, 0) }

/** Cases of a function that takes points in any form, and only finite ones. */
export const ofPoints = (run: (x: graph.Points) => unknown): Case[] => [
  ['a NaN', () => run(withNaN), 'every element must be finite, got NaN at row 1, column 1'],
  ['an infinity', () => run(withInfinity), 'every element must be finite, got Infinity at row 2, column 0'],
  ...ofShapes(run),
]
/** Cases of a function that takes points in any form, NaN and infinities included. */
export const ofShapes = (run: (x: graph.Points) => unknown): Case[] => [
  ['too few numbers', () => run(tooShort), 'data must hold rows × cols = 4 × 2 = 8 elements, got 7'],
  ['a size that is claimed', () => run(claimed), `= ${1e18} elements, got 8`],
  ['no rows', () => run(dense(0, 2)), 'at least one row and one column, got [0, 2]'],
  ['no rows at all', () => run([]), 'at least one row and one column, got [0, 0]'],
  ['ragged rows', () => run(ragged), 'rows must have the same length, got 2 in row 0 and 1 in row 1'],
  ['half a row', () => run({ data: points.data.subarray(0, 7), cols: 2 }), '= 7 elements, got 7'],
  [
    'no columns',
    () => run({ data: points.data } as never),
    'at least one row and one column, got [NaN, undefined]',
  ],
  [
    'a list without its columns',
    () => run(points.data as never),
    'got Float64Array of 8; say how many columns',
  ],
  [
    'a list of numbers',
    () => run([1, 2] as never),
    'every row must be an array of numbers, got number 1 as row 0',
  ],
  [
    'a text',
    () => run('1 2' as never),
    'points must be rows [[…], …] or a matrix { data, cols }, got string 1 2',
  ],
  ['nothing', () => run(undefined as never), 'got undefined'],
]
/** Cases of a function that takes a matrix, sparse or dense: the sparse ones must be well formed. */
export const ofSparse = (run: (m: graph.Csr) => unknown): Case[] => [
  ['a short indptr', () => run(short), 'indptr must have nRows + 1 = 4 elements'],
  ['a falling indptr', () => run(falling), 'indptr must not decrease, got 3 then 1 at row 1'],
  ['a column outside', () => run(outside), 'must ascend within 0 … 2, got 7 after 0 in row 1'],
  ['columns out of order', () => run(unsorted), 'got 0 after 2 in row 1'],
  ['fewer columns than values', () => run(uneven), 'one column index, got 3 indices and 4 values'],
  ['a size that is claimed', () => run(oversized), 'rows and columns, got [3, 1000000000000]'],
]
/** Cases of a function that takes only a sparse matrix. */
export const ofCsr = (run: (m: graph.Csr) => unknown): Case[] => [
  ...ofSparse(run),
  [
    'nothing',
    () => run(undefined as never),
    'the matrix must be sparse { nRows, nCols, indptr, indices, values }, got undefined',
  ],
  ['a dense matrix', () => run(points as never), 'got Object; make one with csrFromDense or csrFromCoo'],
]
export const nanInCsr = (run: (m: graph.Csr) => unknown): Case => [
  'a NaN',
  () => run(nanAt),
  'values must be finite, got NaN at (1, 2)',
]
export const notSquare = (run: (m: graph.Csr) => unknown): Case => [
  'a matrix that is not square',
  () => run(wide),
  'square, got [1, 2]',
]
/** Cases of a function that takes the adjacency of an undirected graph. */
export const ofAdjacency = (run: (m: graph.Csr) => unknown): Case[] => [
  ...ofCsr(run),
  notSquare(run),
  ['a directed graph', () => run(directed), 'must be symmetric, got |W[0, 1] - W[1, 0]| = 1; symmetrize it'],
  ['a negative weight', () => run(negative), 'weights must be finite and at least 0, got -2 at (1, 2)'],
  ['a NaN', () => run(nanAt), 'weights must be finite and at least 0, got NaN at (1, 2)'],
]
/** Cases of a function that takes lists of neighbours with a value for each. */
export const ofLists = (
  run: (broken: typeof lists, values: Float64Array) => unknown,
  values = Float64Array.of(1, 2, 3),
): Case[] => [
  ['a short indptr', () => run({ ...lists, indptr: Int32Array.of(0, 3) }, values), 'nNodes + 1 elements'],
  [
    'a falling indptr',
    () => run({ ...lists, indptr: Int32Array.of(0, 2, 1, 3) }, values),
    'got 2 then 1 at node 1',
  ],
  [
    'a neighbour that is no node',
    () => run({ ...lists, indices: Int32Array.of(1, 3, 0) }, values),
    'neighbours must be nodes from 0 to 2, got 3 in the list of node 1',
  ],
  [
    'too few values',
    () => run(lists, values.subarray(0, 2)),
    'as many elements as indptr says, 3, got 3 and 2',
  ],
  ['a NaN', () => run(lists, Float64Array.of(1, nan, 2)), 'got NaN from node 1 to 2'],
]
/** Cases of a search for neighbours. */
export const ofSearch = (run: (x: graph.Points, k: number, queries?: graph.Points) => unknown): Case[] => [
  ...ofPoints((x) => run(x, 1)),
  ['k of all points', () => run(points, 4), 'k must be an integer between 1 and 3, got 4'],
  ['k of 0', () => run(points, 0), 'k must be an integer between 1 and 3, got 0'],
  ['k of NaN', () => run(points, nan), 'got NaN'],
  ['one point', () => run(one, 1), 'points without queries must be at least 2, got 1'],
  [
    'a query with NaN',
    () => run(points, 1, withNaN),
    'queries: every element must be finite, got NaN at row 1',
  ],
  ['a query of another width', () => run(points, 1, [[1, 2, 3]]), 'got [1, 3] and [4, 2]'],
]
