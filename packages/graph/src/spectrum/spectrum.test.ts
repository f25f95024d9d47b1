import { cpu, gpu, Random } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kneighborsGraph } from '../adjacency/kneighbors-graph.ts'
import { symmetrize } from '../adjacency/symmetrize.ts'
import { JsPanels } from '../kernels/js-panels.ts'
import { PANEL } from '../kernels/panel-space.ts'
import { laplacian } from '../laplacian/laplacian.ts'
import { connectedComponents } from '../sparse/components.ts'
import { type Csr, csrFromDense, spmv } from '../sparse/csr.ts'
import { maxError, normalMatrix } from '../testing.ts'
import { Watch } from '../watch/watch.ts'
import { chebyshevDavidson } from './chebyshev-davidson.ts'
import { denseEigenpairs } from './dense.ts'
import { eigenpairsOf } from './eigenpairs.ts'
import { kernelVectors } from './kernel-vectors.ts'
import { smallestEigenpairs } from './smallest-eigenpairs.ts'
import { type Edge, expectEigenpairs, graphOf } from './testing.ts'

const ring = (n: number, from = 0): Edge[] =>
  Array.from({ length: n }, (_, i) => [from + i, from + ((i + 1) % n), 1] as const)
const neighbours = async (seed: number, n: number, k = 6): Promise<Csr> =>
  symmetrize(await kneighborsGraph(normalMatrix(seed, n, 3), { k }), 'union')

const edges = fc.array(
  fc.tuple(fc.nat(8), fc.nat(8), fc.integer({ min: 1, max: 9 })).filter(([i, j]) => i !== j),
  { maxLength: 16 },
)

describe('Laplacians of any graph', () => {
  it('have the energy Σ w (x_i − x_j)², eigenvalues in [0, 2] and a zero for each component', async () => {
    await fc.assert(
      fc.asyncProperty(edges, fc.nat(1000), async (list, seed) => {
        const adjacency = graphOf(9, list)
        const L = laplacian(adjacency)
        const x = normalMatrix(seed, 9, 1).data
        const energy = spmv(L, x).reduce((sum, value, i) => sum + value * x[i], 0)
        const expected = list.reduce((sum, [i, j, w]) => sum + w * (x[i] - x[j]) ** 2, 0)
        expect(Math.abs(energy - expected)).toBeLessThan(1e-12 * (1 + expected)) // 32 terms of up to 9 · 40
        const { laplacian: normed, diagonal } = laplacian(adjacency, {
          normalization: 'symmetric',
          returnDiagonal: true,
        })
        const { values } = await denseEigenpairs(normed)
        expect(values[0]).toBeGreaterThan(-1e-14)
        expect(values[8]).toBeLessThan(2 + 1e-14)
        const { count } = connectedComponents(adjacency)
        // 9 nodes with weights from 1 to 9: the smallest positive eigenvalue is above 1e-3
        expect(values.filter((value) => value < 1e-9)).toHaveLength(count)
        expect(maxError(spmv(normed, diagonal), new Float64Array(9))).toBeLessThan(1e-14)
      }),
      { seed: 5, numRuns: 150 },
    )
  })
})

describe('smallestEigenpairs', () => {
  it('of a path and a ring are 2 - 2 cos, double ones twice', async () => {
    const n = 701
    const path = laplacian(graphOf(n, ring(n).slice(0, -1)))
    const onPath = await smallestEigenpairs(path, { k: 9, tolerance: 1e-9 })
    expect(onPath.method).toBe('chebyshev-davidson')
    expectEigenpairs(path, onPath, 4e-9)
    const cosine = (angle: number) => 4 * Math.sin(angle / 2) ** 2
    expectNear(
      onPath.values,
      Array.from({ length: 9 }, (_, j) => cosine((Math.PI * j) / n)),
      { atol: 1e-12 },
    )
    const cycle = laplacian(graphOf(n, ring(n)))
    const onRing = await smallestEigenpairs(cycle, { k: 9, tolerance: 1e-9 })
    expectEigenpairs(cycle, onRing, 4e-9)
    const doubled = Array.from({ length: 9 }, (_, j) => cosine((2 * Math.PI * Math.ceil(j / 2)) / n))
    expectNear(onRing.values, doubled, { atol: 1e-12 })
  })

  it('equal those of the full decomposition', async () => {
    for (const [seed, normalization] of [
      [1, 'none'],
      [2, 'symmetric'],
    ] as const) {
      const { laplacian: L, diagonal } = laplacian(await neighbours(seed, 401), {
        normalization,
        returnDiagonal: true,
      })
      const all = await denseEigenpairs(L)
      const kernelVector = normalization === 'symmetric' ? diagonal : undefined
      const some = await smallestEigenpairs(L, { k: 13, kernelVector })
      expect(some.method).toBe('chebyshev-davidson')
      expectEigenpairs(L, some, 1e-8 * all.values[400])
      expectNear(some.values, all.values.slice(0, 13), { atol: 1e-12 })
      // without kernelVector, the kernel is found like any other pair
      const searched = await smallestEigenpairs(L, { k: 13 })
      expectNear(searched.values, all.values.slice(0, 13), { atol: 1e-12 })
    }
  })

  it('have the kernel exactly, one vector per component, isolated nodes too', async () => {
    // rings of 200, 101 and 50, and the node 351 alone
    const graph = graphOf(352, [...ring(200), ...ring(101, 200), ...ring(50, 301)])
    for (const normalization of ['none', 'symmetric'] as const) {
      const { laplacian: L, diagonal } = laplacian(graph, { normalization, returnDiagonal: true })
      const kernelVector = normalization === 'symmetric' ? diagonal : undefined
      const pairs = await smallestEigenpairs(L, { k: 6, kernelVector })
      expectEigenpairs(L, pairs, 1e-8 * 4)
      expectNear(pairs.values.slice(0, 4), [0, 0, 0, 0], { atol: 1e-15 }) // the rounding of a vector of length 1
      const lengths = Array.from(
        { length: 4 },
        (_, j) => pairs.vectors.data.filter((v, n) => n % 6 === j && v !== 0).length,
      )
      expect(lengths.sort((a, b) => a - b)).toEqual([1, 50, 101, 200])
      const first = 4 * Math.sin(Math.PI / 200) ** 2
      expectNear(pairs.values.slice(4), normalization === 'none' ? [first, first] : [first / 2, first / 2], {
        atol: 1e-12,
      })
      // k is smaller than the number of components
      expect((await smallestEigenpairs(L, { k: 2, kernelVector })).products).toBe(2)
    }
  })

  it('are found with a multiplicity above the width of a panel', async () => {
    const size = 300
    const complete = laplacian(await kneighborsGraph(normalMatrix(1, size, 2), { k: size - 1 }))
    const pairs = await smallestEigenpairs(complete, { k: 14 })
    expectEigenpairs(complete, pairs, 1e-8 * size)
    expectNear(pairs.values, [0, ...new Array(13).fill(size)], { atol: 1e-9 })
    // 60 equal rings, the second eigenvalue of each twice
    const rings = laplacian(graphOf(300, Array.from({ length: 60 }, (_, r) => ring(5, 5 * r)).flat()))
    const many = await smallestEigenpairs(rings, { k: 75 })
    expectNear(many.values.slice(60), new Array(15).fill(4 * Math.sin(Math.PI / 5) ** 2), { atol: 1e-9 })
  })

  it('of small matrices come from the full decomposition, the kernel exact as well', async () => {
    const L = laplacian(graphOf(8, [...ring(3), ...ring(4, 3)]))
    const pairs = await smallestEigenpairs(L, { k: 8 })
    expect(pairs.method).toBe('dense')
    expectEigenpairs(L, pairs, 1e-14)
    expect([...pairs.values.slice(0, 3)]).toEqual([0, 0, 0])
    expectNear(pairs.values.slice(3), [2, 2, 3, 3, 4], { atol: 1e-14 })
    expect(
      (
        await smallestEigenpairs(
          csrFromDense({ data: Float64Array.of(0), rows: 1, cols: 1 }, { keepDiagonal: true }),
          { k: 1 },
        )
      ).values,
    ).toEqual(Float64Array.of(0))
  })

  it('have the same bits on every device, and depend on the seed alone', async () => {
    const L = laplacian(await neighbours(3, 1300))
    const alone = await smallestEigenpairs(L, { k: 5, seed: 7 })
    for (const options of [
      { threads: 1, simd: 'plain' },
      { threads: 2, simd: 'relaxed' },
    ] as const) {
      // biome-ignore format: short
      const device = await cpu(options)
      expect(await smallestEigenpairs(L, { k: 5, seed: 7, device })).toEqual(alone)
      await device.close()
    }
    const other = await smallestEigenpairs(L, { k: 5, seed: 8 })
    expect(other.vectors).not.toEqual(alone.vectors)
    expectNear(other.values, alone.values, { atol: 1e-10 })
  })

  it('of a grid of 90 000 nodes are sums of those of paths', async () => {
    const side = 300
    const edges: Edge[] = []
    for (let i = 0; i < side; i++) {
      for (let j = 1; j < side; j++) {
        edges.push([i * side + j - 1, i * side + j, 1], [(j - 1) * side + i, j * side + i, 1])
      }
    }
    const L = laplacian(graphOf(side * side, edges))
    const device = await cpu({ threads: 2 })
    const { values, residuals } = await smallestEigenpairs(L, { k: 10, device })
    await device.close()
    const onPath = Array.from({ length: 5 }, (_, j) => 4 * Math.sin((Math.PI * j) / (2 * side)) ** 2)
    const sums = onPath.flatMap((a) => onPath.map((b) => a + b)).sort((a, b) => a - b)
    expect(Math.max(...residuals)).toBeLessThan(1e-8 * 8)
    expectNear(values, sums.slice(0, 10), { atol: 1e-10 }) // about residual² / gap, with gaps of 1e-4
  })

  it('report progress and stop at a signal', async () => {
    const L = laplacian(await neighbours(4, 900))
    const seen: number[] = []
    await smallestEigenpairs(L, {
      k: 5,
      onProgress: ({ converged, wanted }) => seen.push(converged / wanted),
    })
    expect(seen.length).toBeGreaterThan(1)
    expect(seen[seen.length - 1]).toBe(1)
    const stop = new AbortController()
    const run = smallestEigenpairs(L, {
      k: 5,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    })
    await expect(run).rejects.toThrow('enough')
    await expect(
      smallestEigenpairs(L, { k: 5, signal: AbortSignal.abort(new Error('before')) }),
    ).rejects.toThrow('before')
  })

  it('name what is wrong', async () => {
    const adjacency = await neighbours(5, 300)
    const L = laplacian(adjacency)
    const rejects = (m: Csr, options: object, message: string) =>
      expect(smallestEigenpairs(m, { k: 3, ...options })).rejects.toThrow(message)
    await rejects(
      L,
      { k: 0 },
      'smallestEigenpairs: k must be an integer between 1 and 300, got 0; L has 300 rows',
    )
    await rejects(L, { tolerance: 0 }, 'tolerance must be a positive finite number, got 0')
    await rejects(
      L,
      { maxIterations: 1, tolerance: 1e-14 },
      'all 2 pairs must converge within 1 iterations, got 0',
    )
    await rejects(
      laplacian(adjacency, { normalization: 'random-walk' }),
      {},
      'the matrix must be symmetric, got |M[',
    )
    await rejects(
      { ...L, values: L.values.map((v, e) => (e === 5 ? Number.NaN : v)) },
      {},
      'values must be finite, got NaN at (0, ',
    )
    await rejects(
      { ...L, indices: L.indices.map((j) => j + 1) },
      {},
      'columns of a row must ascend within 0 … 299',
    )
    await rejects(csrFromDense(normalMatrix(1, 2, 3)), {}, 'must be square, got [2, 3]')
    await rejects(adjacency, {}, 'the matrix must be positive semidefinite, got a Rayleigh quotient of -')
    await rejects(L, { kernelVector: [1] }, 'kernelVector must have 300 elements, got 1')
    await rejects(
      L,
      { kernelVector: new Float64Array(300).fill(1).fill(0, 7, 8) },
      'must be finite and not 0, got 0 at 7',
    )
    await rejects(
      L,
      { kernelVector: Float64Array.from({ length: 300 }, (_, i) => i + 1) },
      'L times kernelVector must be 0, got',
    )
    const device = await gpu({ mode: 'cpu' })
    await rejects(L, { device }, 'the device must be a cpu device')
    await device.close()
    const wide = graphOf(5000, ring(5000))
    await rejects(
      laplacian(wide),
      { k: 2600 },
      'rows of a matrix with more than 4096 rows, got k 2600 of 5000',
    )
    await expect(denseEigenpairs(laplacian(wide))).rejects.toThrow('at most 4096 rows, got 5000')
  })

  it('survive a bound that is below the largest eigenvalue', async () => {
    const size = 600
    const L = laplacian(graphOf(size, ring(size)))
    using space = new JsPanels(L)
    const { panels } = await chebyshevDavidson(space, {
      k: 4,
      tolerance: 1e-8,
      spectrum: { bound: 2.5, low: 0.05 }, // the largest eigenvalue is 4
      kernel: kernelVectors('test', L),
      random: new Random(1),
      maxIterations: 100,
      watch: new Watch({}),
      report: () => {},
    })
    const columns = Array.from({ length: 4 }, (_, j) => panels[0].data.filter((_, n) => n % PANEL === j))
    const first = [1, 1, 2, 2].map((j) => 4 * Math.sin((Math.PI * j) / size) ** 2)
    const { values } = await eigenpairsOf(L, columns, { method: 'chebyshev-davidson', products: 0 })
    expectNear(values, first, { atol: 1e-12 })
  })
})
