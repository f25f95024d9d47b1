import { cpu } from '@tau/tensor'
import { describe, expect, it } from 'vitest'
import * as graph from '../index.ts'
import { GraphError } from '../index.ts'
import {
  type Case,
  copies,
  csr,
  dense,
  directed,
  empty,
  infinity,
  L,
  nan,
  nanAt,
  nanInCsr,
  negative,
  notSquare,
  ofAdjacency,
  ofCsr,
  ofLists,
  ofPoints,
  ofSearch,
  ofShapes,
  ofSparse,
  one,
  onTwo,
  outside,
  path,
  points,
  single,
  tooShort,
  uneven,
  zeros,
} from './testing.ts'

const weight = { sigma: 1 }
const { DeviceCsr, TaumodeIndex } = graph
const cases: Record<string, Case[]> = {
  laplacianSpectrum: [
    ...ofCsr(graph.laplacianSpectrum),
    nanInCsr(graph.laplacianSpectrum),
    notSquare(graph.laplacianSpectrum),
  ],
  probeEnergies: [...ofCsr((m) => graph.probeEnergies(m))],
  buildManifold: [
    ...ofPoints((x) => graph.buildManifold(x, { dim: 2 })),
    [
      'one column',
      () => graph.buildManifold(points, { dim: 1 }),
      'dim must be an integer between 2 and 1048576, got 1',
    ],
    [
      'k of all features',
      () => graph.buildManifold(points, { dim: 2, k: 2 }),
      'between 1 and 1 (nodes - 1), got 2',
    ],
    [
      'zeros alone',
      () => graph.buildManifold(dense(2, 2, 0, 0, 0, 0), { dim: 2 }),
      'at least one element must differ from 0',
    ],
    ['one row', () => graph.buildManifold(one, { dim: 2 }), 'needs at least 2 rows, got 1 of embeddings'],
  ],
  matrixSource: ofShapes((x) => graph.matrixSource(x)),
  affinity: [
    ...ofCsr((m) => graph.affinity(m, weight)),
    ['a negative distance', () => graph.affinity(negative, weight), 'got -2 at (1, 2)'],
    ['a NaN', () => graph.affinity(nanAt, weight), 'got NaN at (1, 2)'],
    ['sigma of 0', () => graph.affinity(path, { sigma: 0 }), 'sigma must be a positive finite number, got 0'],
  ],
  checkCsr: ofCsr((m) => graph.checkCsr('op', m)),
  csrFromCoo: [
    [
      'a row outside',
      () => graph.csrFromCoo({ nRows: 2, nCols: 2, row: [2], col: [0], value: [1] }),
      'every row must be an integer between 0 and 1, got 2 at entry 0',
    ],
    [
      'a column of NaN',
      () => graph.csrFromCoo({ nRows: 2, nCols: 2, row: [0], col: [nan], value: [1] }),
      'every column must be an integer between 0 and 1, got NaN at entry 0',
    ],
    [
      'lists of different lengths',
      () => graph.csrFromCoo({ nRows: 2, nCols: 2, row: [0, 1], col: [1], value: [1, 1] }),
      'equal lengths, got 2, 1, 2',
    ],
    [
      'a size that is claimed',
      () => graph.csrFromCoo({ nRows: 1e12, nCols: 2, row: [0], col: [0], value: [1] }),
      'got [1000000000000, 2]',
    ],
    [
      'a value of NaN',
      () => graph.csrFromCoo({ nRows: 1, nCols: 1, row: [0], col: [0], value: [nan] }).values,
      { gives: Float64Array.of(nan) },
    ],
  ],
  csrFromDense: [
    ...ofShapes(graph.csrFromDense),
    ['a NaN', () => graph.csrFromDense(dense(1, 2, 0, nan)).values, { gives: Float64Array.of(nan) }],
  ],
  diagonal: ofCsr(graph.diagonal),
  nnz: [['fewer columns than values', () => graph.nnz(uneven), { gives: 4 }]],
  spmm: [
    ...ofCsr((m) => graph.spmm(m, dense(3, 1, 1, 1, 1))),
    ['a matrix that does not fit', () => graph.spmm(path, points), 'x must have nCols = 3 rows, got [4, 2]'],
    ['a NaN', () => graph.spmm(path, dense(3, 1, nan, 1, 1)).data, { gives: Float64Array.of(1, nan, 1) }],
  ],
  spmv: [
    ['a vector that does not fit', () => graph.spmv(path, [1, 2]), 'x must have nCols = 3 elements, got 2'],
    ['a column outside', () => graph.spmv(outside, [1, 1, 1]), { gives: Float64Array.of(1, nan, 1) }],
    ['a NaN', () => graph.spmv(path, [nan, 1, 1]), { gives: Float64Array.of(1, nan, 1) }],
  ],
  symmetryError: [
    ...ofCsr(graph.symmetryError),
    notSquare(graph.symmetryError),
    ['a NaN', () => graph.symmetryError(nanAt), { gives: { error: infinity, row: 1, col: 2 } }],
  ],
  toCoo: ofCsr(graph.toCoo),
  toDense: ofCsr(graph.toDense),
  transposeCsr: ofCsr(graph.transposeCsr),
  valueAt: [['a place outside', () => graph.valueAt(path, 9, 9), { gives: 0 }]],
  describeManifold: [
    ...ofCsr(graph.describeManifold),
    notSquare(graph.describeManifold),
    nanInCsr(graph.describeManifold),
    ['no edges', () => graph.describeManifold(empty).oddities[0], { gives: 'no edges: every energy is 0' }],
    ['one node', () => graph.describeManifold(csr([0, 1], [0], [0])).isolated, { gives: 1 }],
  ],
  textEmbeddings: [
    ['no words', () => graph.textEmbeddings(''), 'textEmbeddings:'],
    ['one passage', () => graph.textEmbeddings('a b c'), 'textEmbeddings:'],
  ],
  featureLaplacian: [
    ...ofPoints((x) => graph.featureLaplacian(x, { k: 1, sigma: 1 })),
    [
      'k of all features',
      () => graph.featureLaplacian(points, { k: 2, sigma: 1 }),
      'k must be an integer between 1 and 1, got 2; there are 2 points',
    ],
    [
      'one feature',
      () => graph.featureLaplacian(dense(2, 1, 1, 2), { k: 1, sigma: 1 }),
      'k must be an integer between 1 and 0, got 1',
    ],
  ],
  itemLaplacian: [
    ...ofPoints((x) => graph.itemLaplacian(x, { k: 1, sigma: 1 })),
    [
      'k of all items',
      () => graph.itemLaplacian(points, { k: 4, sigma: 1 }),
      'between 1 and 3, got 4; there are 4 points',
    ],
    ['one item', () => graph.itemLaplacian(one, { k: 1, sigma: 1 }), 'between 1 and 0, got 1'],
  ],
  csrFromNeighbors: [
    ...ofLists((broken, values) => graph.csrFromNeighbors({ ...broken, distances: values })),
    [
      'a node named twice',
      () =>
        graph.csrFromNeighbors({
          nNodes: 2,
          indptr: Int32Array.of(0, 2, 2),
          indices: Int32Array.of(1, 1),
          distances: Float64Array.of(1, 1),
        }),
      'positions must differ, got (0, 1) twice',
    ],
  ],
  kneighborsGraph: [
    ...ofPoints((x) => graph.kneighborsGraph(x, { k: 1 })),
    ['k of all points', () => graph.kneighborsGraph(points, { k: 4 }), 'between 1 and 3, got 4'],
    [
      'one point',
      () => graph.kneighborsGraph(one, { k: 1 }),
      'k must be an integer between 1 and 0, got 1; there are 1 points',
    ],
  ],
  degrees: [
    ...ofCsr(graph.degrees),
    ['negative weights', () => graph.degrees(negative), { gives: Float64Array.of(1, -1, -2) }],
    ['a NaN', () => graph.degrees(nanAt), { gives: Float64Array.of(1, nan, nan) }],
  ],
  laplacian: [
    ...ofAdjacency((m) => graph.laplacian(m)),
    ['one node', () => graph.laplacian(single).values, { gives: Float64Array.of(0) }],
  ],
  kneighbors: [
    ...ofSearch((x, k, queries) => graph.kneighbors(x, { k, queries })),
    [
      'rows of zeros',
      async () => (await graph.kneighbors(zeros, { k: 2, metric: 'cosine' })).distances,
      { gives: new Float64Array(6).fill(1) },
    ],
    [
      'duplicates',
      async () => (await graph.kneighbors(copies, { k: 2 })).indices,
      { gives: Int32Array.of(1, 2, 0, 2, 0, 1) },
    ],
  ],
  radiusNeighbors: [
    ...ofPoints((x) => graph.radiusNeighbors(x, { radius: 1 })),
    ['one point', () => graph.radiusNeighbors(one, { radius: 1 }), 'must be at least 2, got 1'],
    [
      'a radius of NaN',
      () => graph.radiusNeighbors(points, { radius: nan }),
      'radius must be a finite number of at least 0, got NaN',
    ],
    ['a negative radius', () => graph.radiusNeighbors(points, { radius: -1 }), 'got -1'],
  ],
  reduceEmbeddings: [
    ...ofPoints((x) => graph.reduceEmbeddings(x, { dim: 1 })),
    ['dim of 0', () => graph.reduceEmbeddings(points, { dim: 0 }), 'dim must be an integer between 1 and'],
    ['zeros alone', () => graph.reduceEmbeddings(dense(1, 2, 0, 0), { dim: 1 }), 'got all zeros'],
    [
      'more directions than rows',
      () => graph.reduceEmbeddings(one, { dim: 2, method: 'pca' }),
      'between 1 and 1, got 2',
    ],
  ],
  effectiveResistances: [
    ...ofAdjacency((m) => graph.effectiveResistances(m)),
    ['one node', async () => (await graph.effectiveResistances(single)).row, { gives: new Int32Array(0) }],
  ],
  sparsifyByResistance: [
    ...ofAdjacency((m) => graph.sparsifyByResistance(m, { samples: 9 })),
    [
      'no edges',
      () => graph.sparsifyByResistance(empty, { samples: 9 }),
      'the graph must have at least one edge, got none',
    ],
    [
      'no samples',
      () => graph.sparsifyByResistance(path, { samples: 0 }),
      'samples must be an integer between 1 and',
    ],
  ],
  connectedComponents: [
    ...ofCsr(graph.connectedComponents),
    notSquare(graph.connectedComponents),
    ['negative weights', () => graph.connectedComponents(negative).count, { gives: 1 }],
    ['a directed graph', () => graph.connectedComponents(directed).count, { gives: 1 }],
  ],
  DeviceCsr: ofCsr(async (m) => {
    const device = await cpu({ threads: 1 })
    try {
      using _ = new DeviceCsr(m, device)
    } finally {
      await device.close()
    }
  }),
  toMlMatrix: ofCsr(graph.toMlMatrix),
  csrFromMlMatrix: [['a NaN', () => graph.csrFromMlMatrix(graph.toMlMatrix(nanAt)), { gives: nanAt }]],
  sliceCsr: [
    ...ofCsr((m) => graph.sliceCsr(m, { rows: [0] })),
    [
      'a row outside',
      () => graph.sliceCsr(path, { rows: [3] }),
      'every row must be an integer between 0 and 2, got 3 at 0',
    ],
    ['a column of NaN', () => graph.sliceCsr(path, { cols: [nan] }), 'got NaN at 0'],
  ],
  strongestHalf: [...ofCsr(graph.strongestHalf), nanInCsr(graph.strongestHalf)],
  symmetrize: [
    ...ofCsr((m) => graph.symmetrize(m)),
    notSquare((m) => graph.symmetrize(m)),
    nanInCsr((m) => graph.symmetrize(m)),
  ],
  denseEigenpairs: [
    ...ofCsr((m) => graph.denseEigenpairs(m)),
    notSquare((m) => graph.denseEigenpairs(m)),
    nanInCsr((m) => graph.denseEigenpairs(m)),
    [
      'a directed graph',
      () => graph.denseEigenpairs(directed),
      'must be symmetric, got |M[0, 1] - M[1, 0]| = 1',
    ],
    ['one row', async () => (await graph.denseEigenpairs(single)).values, { gives: Float64Array.of(0) }],
  ],
  smallestEigenpairs: [
    ...ofCsr((m) => graph.smallestEigenpairs(m, { k: 1 })),
    notSquare((m) => graph.smallestEigenpairs(m, { k: 1 })),
    nanInCsr((m) => graph.smallestEigenpairs(m, { k: 1 })),
    ['a directed graph', () => graph.smallestEigenpairs(directed, { k: 1 }), 'must be symmetric'],
    [
      'more pairs than rows',
      () => graph.smallestEigenpairs(L, { k: 4 }),
      'k must be an integer between 1 and 3, got 4; L has 3 rows',
    ],
    [
      'one row',
      async () => (await graph.smallestEigenpairs(single, { k: 1 })).values,
      { gives: Float64Array.of(0) },
    ],
  ],
  eigengap: [
    ['one value', () => graph.eigengap([1]), 'at least two eigenvalues, got 1'],
    ['a NaN', () => graph.eigengap([0, nan, 1]), 'eigenvalues must be finite and ascend, got NaN at 1'],
    ['values that fall', () => graph.eigengap([0, 2, 1]), 'got 1 at 2; sort them'],
  ],
  spectralClustering: [
    ...ofAdjacency((m) => graph.spectralClustering(m, { clusters: 1 })),
    [
      'more clusters than nodes',
      () => graph.spectralClustering(path, { clusters: 4 }),
      'clusters must be an integer between 1 and 3, got 4',
    ],
    [
      'fewer clusters than components',
      () => graph.spectralClustering(empty, { clusters: 2 }),
      'got 2 clusters and 3 components',
    ],
    [
      'one node',
      async () => (await graph.spectralClustering(single, { clusters: 1 })).labels,
      { gives: Int32Array.of(0) },
    ],
  ],
  spectralEmbedding: [
    ...ofAdjacency((m) => graph.spectralEmbedding(m, { dim: 1 })).filter(
      ([input]) => !input.includes('square'),
    ),
    [
      'isolated nodes',
      () => graph.spectralEmbedding(empty, { dim: 1 }),
      'the graph must be connected, got 3 components',
    ],
    [
      'as many coordinates as nodes',
      () => graph.spectralEmbedding(path, { dim: 3 }),
      'dim must be an integer between 1 and 2, got 3',
    ],
    [
      'one node',
      () => graph.spectralEmbedding(single, { dim: 1 }),
      'dim must be an integer between 1 and 0, got 1',
    ],
  ],
  randomizedSvd: [
    ...ofPoints((x) => graph.randomizedSvd(x, { rank: 1, seed: 0 })),
    ...ofSparse((m) => graph.randomizedSvd(m, { rank: 1, seed: 0 })),
    [
      'a NaN in a sparse matrix',
      () => graph.randomizedSvd(nanAt, { rank: 1, seed: 0 }),
      'values must be finite, got NaN at (1, 2)',
    ],
    [
      'a rank above the size',
      () => graph.randomizedSvd(points, { rank: 3, seed: 0 }),
      'rank must be an integer between 1 and 2, got 3',
    ],
    [
      'zeros alone',
      () => graph.randomizedSvd(dense(2, 2, 0, 0, 0, 0), { rank: 1, seed: 0 }).s,
      { gives: Float64Array.of(0) },
    ],
  ],
  rayleighEnergies: [
    ...ofSparse((m) => graph.rayleighEnergies(dense(1, 3, 1, 2, 3), m)),
    nanInCsr((m) => graph.rayleighEnergies(dense(1, 3, 1, 2, 3), m)),
    ['too few numbers', () => graph.rayleighEnergies(tooShort, onTwo), '8 elements, got 7'],
    ['an L of another size', () => graph.rayleighEnergies(points, L), 'L must be [D, D] = [2, 2]'],
    ['an eps of NaN', () => graph.rayleighEnergies(points, onTwo, nan), 'eps must be at least 0, got NaN'],
    [
      'a row of NaN',
      () => graph.rayleighEnergies(dense(2, 2, nan, 1, 0, 1), onTwo, 0),
      { gives: Float64Array.of(nan, 1) },
    ],
    [
      'a row of zeros',
      () => graph.rayleighEnergies(dense(1, 2, 0, 0), onTwo, 0),
      { gives: Float64Array.of(0) },
    ],
    [
      'an L that is not symmetric',
      () => graph.rayleighEnergies(dense(1, 2, 1, 1), csr([0, 1, 1], [1], [4]), 0),
      { gives: Float64Array.of(2) },
    ],
    [
      'a negative L',
      () => graph.rayleighEnergies(dense(1, 2, 1, 0), csr([0, 1, 1], [0], [-4]), 0),
      { gives: Float64Array.of(0) },
    ],
  ],
  tauFromEnergies: [
    [
      'energies that are not finite',
      () => graph.tauFromEnergies([nan, 3, infinity], { name: 'mean' }),
      { gives: 3 },
    ],
    ['no energies', () => graph.tauFromEnergies([], { name: 'median' }), { gives: 1e-10 }],
    [
      'a fixed τ of 0',
      () => graph.tauFromEnergies([1], { name: 'fixed', value: 0 }),
      'must be positive and finite, got 0',
    ],
    [
      'a percentile of 2',
      () => graph.tauFromEnergies([1], { name: 'percentile', value: 2 }),
      'between 0 and 1, got 2',
    ],
  ],
  fitTaumode: [
    ...ofSparse((m) => graph.fitTaumode(dense(1, 3, 1, 2, 3), m, { policy: { name: 'mean' } })),
    [
      'an L of another size',
      () => graph.fitTaumode(points, L, { policy: { name: 'mean' } }),
      'L must be [D, D] = [2, 2]',
    ],
    [
      'a row of NaN, which τ leaves out',
      () => graph.fitTaumode(dense(2, 2, nan, 1, 0, 1), onTwo, { policy: { name: 'mean' }, eps: 0 }).lambda,
      { gives: Float64Array.of(nan, 0.5) },
    ],
    [
      'a row of zeros',
      () => graph.fitTaumode(dense(2, 2, 0, 0, 0, 1), onTwo, { policy: { name: 'mean' } }).lambda[0],
      { gives: 0 },
    ],
  ],
  edgeDispersion: [
    ...ofPoints((x) => graph.edgeDispersion(x, onTwo)),
    ...ofCsr((m) => graph.edgeDispersion(dense(1, 3, 1, 2, 3), m)),
    nanInCsr((m) => graph.edgeDispersion(dense(1, 3, 1, 2, 3), m)),
    ['an L of another size', () => graph.edgeDispersion(points, L), 'L must be [D, D] = [2, 2], got [3, 3]'],
    ['a row of zeros', () => graph.edgeDispersion(zeros, onTwo), { gives: Float64Array.of(0, 0, 1) }],
    [
      'a graph whose weights would be negative',
      () => graph.edgeDispersion(one, csr([0, 1, 2], [1, 0], [1, 1])),
      { gives: Float64Array.of(0) },
    ],
  ],
  TaumodeIndex: [
    ...ofPoints((x) => new TaumodeIndex(onTwo).add(x)),
    ['no L', () => new TaumodeIndex(undefined as never), 'TaumodeIndex: L must be sparse { nRows, nCols,'],
    ['an L that is not well formed', () => new TaumodeIndex(outside), 'L columns of a row must ascend'],
    ['an L of NaN', () => new TaumodeIndex(nanAt), 'L must be finite, got NaN at (1, 2)'],
    ['an L that is not symmetric', () => new TaumodeIndex(directed), 'L must be symmetric'],
    ['an L that is not definite', () => new TaumodeIndex(path), 'L must be positive semidefinite'],
    [
      'k of more items than there are',
      () => indexOf(points).search([1, 2], 5),
      'k must be an integer between 1 and 4, got 5',
    ],
    ['a query of NaN', () => indexOf(points).search([1, nan], 1), 'got NaN at row 0, column 1'],
    [
      'duplicates, by id',
      () =>
        indexOf(copies)
          .search([5, 6], 3)
          .map(({ id }) => id),
      { gives: [0, 1, 2] },
    ],
    [
      'a row of zeros',
      () =>
        indexOf(zeros)
          .search([1, 0], 3)
          .map(({ cosine }) => cosine),
      { gives: [1, 0, 0] },
    ],
  ],
  assertLaplacian: [
    ['a column outside', () => graph.assertLaplacian('op', outside), 'op: L columns of a row must ascend'],
    ['a NaN', () => graph.assertLaplacian('op', nanAt), 'op: L must be finite, got NaN at (1, 2)'],
    ['a directed graph', () => graph.assertLaplacian('op', directed), 'op: L must be symmetric'],
  ],
  checkLaplacian: [
    [
      'nothing',
      () => graph.checkLaplacian(undefined as never).problems[0].split(';')[0],
      { gives: 'must be sparse { nRows, nCols, indptr, indices, values }, got undefined' },
    ],
    ['a column outside', () => graph.checkLaplacian(outside).ok, { gives: false }],
    ['a NaN', () => graph.checkLaplacian(nanAt).problems, { gives: ['must be finite, got NaN at (1, 2)'] }],
    ['a negative weight', () => graph.checkLaplacian(negative).ok, { gives: false }],
    ['one node', () => graph.checkLaplacian(csr([0, 1], [0], [0])).ok, { gives: true }],
  ],
}

function indexOf(x: graph.DenseMatrix) {
  const index = new TaumodeIndex(onTwo, { policy: { name: 'fixed', value: 1 } })
  index.add(x)
  return index
}

/** Functions that read or write files and their parts. Their tests are beside them, in embeddings/ and
 *  manifold/. */
const OF_FILES =
  /^(parse|read|write|encode|open)[A-Z]|^(configNumber|embeddingsOfBytes|manifoldConfig|\w*[eE]mbedder|embedderOf|wordVectorBlocks)$/

describe('every public function', () => {
  it('is in this table', () => {
    const names = Object.keys(graph).filter(
      (name) => !OF_FILES.test(name) && name !== 'GraphError' && name !== 'fiveNumbers', // fiveNumbers takes any numbers
    )
    expect(Object.keys(cases).sort()).toEqual(names.sort())
  })

  // These are inner loops, the error itself and a verdict. wordVectorBlocks throws only when its first block
  // is requested.
  const unchecked = [
    'GraphError',
    'checkLaplacian',
    'nnz',
    'spmv',
    'valueAt',
    'configNumber',
    'wordVectorBlocks',
  ]
  const called = Object.entries(graph).filter(([name]) => !unchecked.includes(name))
  it.each(called)('names the problem if arguments are missing: %s', async (_, f) => {
    const isClass = f === DeviceCsr || f === TaumodeIndex
    for (const args of [[], [undefined, {}], [[[1, 2]]], [path]]) {
      const error: unknown = await Promise.resolve()
        .then(() => (isClass ? Reflect.construct(f, args) : Reflect.apply(f, undefined, args)))
        .then(
          () => undefined,
          (reason) => reason,
        )
      if (args.length !== 1) expect(error).toBeInstanceOf(Error) // a function may need only one argument
      expect(error).not.toBeInstanceOf(TypeError)
      expect(error).not.toBeInstanceOf(RangeError)
    }
  })

  describe.each(Object.entries(cases))('%s', (_, list) => {
    it.each(list)('%s', async (_, run, expected) => {
      const found = Promise.resolve().then(run)
      if (typeof expected !== 'string') return expect(await found).toEqual(expected.gives)
      const error: unknown = await found.then(
        () => undefined,
        (reason) => reason,
      )
      expect(error).toBeInstanceOf(GraphError)
      expect((error as GraphError).message).toContain(expected)
    })
  })
})
