import { Random } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import { describe, it } from 'vitest'
import { laplacian } from '../laplacian/laplacian.ts'
import { denseEigenpairs } from './dense.ts'
import { smallestEigenpairs } from './smallest-eigenpairs.ts'
import { type Edge, expectEigenpairs, graphOf } from './testing.ts'

const pairsOf = (n: number): [number, number][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: i }, (_, j): [number, number] => [i, j])).flat()
const anyPairs = (n: number, count: number, random: Random): [number, number][] =>
  Array.from({ length: count }, (): [number, number] => [random.integer(n), random.integer(n)]).filter(
    ([i, j]) => i !== j,
  )

/** Graphs whose spectra are dense at the end, clustered, of large multiplicities, or spread over many powers
 *  of ten. */
const kinds: Record<string, (n: number, random: Random) => Edge[]> = {
  'random edges': (n, random) => anyPairs(n, 2 * n, random).map(([i, j]) => [i, j, 1]),
  'weights over eight powers of ten': (n, random) =>
    anyPairs(n, 3 * n, random).map(([i, j]) => [i, j, 10 ** (8 * random.float() - 4)]),
  'a random tree': (n, random) => Array.from({ length: n - 1 }, (_, i) => [i + 1, random.integer(i + 1), 1]),
  'a binary tree': (n) => Array.from({ length: n - 1 }, (_, i) => [i + 1, i >> 1, 1]),
  'all joined, by distance': (n) => pairsOf(n).map(([i, j]) => [i, j, Math.exp((-8 * (i - j)) / n)]),
  'equal pieces': (n) =>
    pairsOf(n)
      .filter(([i, j]) => i - j < 4 && Math.floor(i / 20) === Math.floor(j / 20))
      .map(([i, j]) => [i, j, 1]),
  'blocks and isolated nodes': (n, random) =>
    anyPairs(n, 8 * n, random)
      .filter(([i, j]) => i % 10 === j % 10)
      .map(([i, j]) => [i, j, 1]),
}

describe('smallestEigenpairs', () => {
  it.each(Object.entries(kinds))('equal those of the full decomposition: %s', async (_, edgesOf) => {
    const size = 271
    for (const [normalization, k] of [
      ['none', 3],
      ['symmetric', 17],
    ] as const) {
      const adjacency = graphOf(size, edgesOf(size, new Random(k)))
      const { laplacian: L, diagonal } = laplacian(adjacency, { normalization, returnDiagonal: true })
      const all = (await denseEigenpairs(L)).values
      const scale = all[size - 1]
      for (const kernelVector of normalization === 'none' ? [undefined] : [diagonal, undefined]) {
        const pairs = await smallestEigenpairs(L, { k, kernelVector })
        expectEigenpairs(L, pairs, 1.3e-8 * scale)
        expectNear(pairs.values, all.slice(0, k), { atol: 1e-8 * scale })
      }
    }
  })
})
