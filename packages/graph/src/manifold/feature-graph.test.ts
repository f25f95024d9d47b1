import { describe, expect, it } from 'vitest'
import { multiply } from '../dense/multiply.ts'
import { reduceEmbeddings } from '../gram/reduce.ts'
import { checkLaplacian } from '../laplacian/check.ts'
import { featureLaplacian } from '../laplacian/pipeline.ts'
import { type Csr, symmetryError } from '../sparse/csr.ts'
import { maxError, normalMatrix } from '../testing.ts'
import { buildManifold, type ManifoldOptions } from './build.ts'
import { manifoldConfig } from './config.ts'

/** Embeddings with a falling spectrum, like real ones: normal columns mixed by a normal matrix. */
const realistic = (rows: number, cols: number) => {
  const x = normalMatrix(1, rows, cols)
  const scaled = { ...x, data: x.data.map((v, n) => v / (1 + (n % cols))) }
  return multiply(scaled, normalMatrix(2, cols, cols))
}
const x = realistic(101, 37)

describe('reduceEmbeddings', () => {
  const squares = (data: Float64Array) => data.reduce((sum, v) => sum + v * v, 0)
  const gram = (m: { data: Float64Array; rows: number; cols: number }, i: number, j: number) => {
    let sum = 0
    for (let n = 0; n < m.rows; n++) sum += m.data[n * m.cols + i] * m.data[n * m.cols + j]
    return sum
  }

  it('random keeps all energy at full width, about D / F below', () => {
    const full = reduceEmbeddings(x, { dim: 37 })
    expect(full.info.keptEnergy).toBeCloseTo(1, 12)
    expect(squares(full.data) / squares(x.data)).toBeCloseTo(1, 12)
    const isotropic = reduceEmbeddings(normalMatrix(3, 997, 53), { dim: 13 })
    expect(isotropic.info.keptEnergy).toBeGreaterThan(0.9 * (13 / 53))
    expect(isotropic.info.keptEnergy).toBeLessThan(1.1 * (13 / 53))
  })

  it('random widens, too, without changing lengths', () => {
    const wide = reduceEmbeddings(x, { dim: 61 })
    expect(wide.cols).toBe(61)
    expect(wide.info.keptEnergy).toBeCloseTo(1, 12)
  })

  it('pca keeps the most and its features are orthogonal; the rotation undoes only the latter', () => {
    const pca = reduceEmbeddings(x, { dim: 37, method: 'pca' })
    const scale = squares(x.data)
    for (let i = 0; i < 37; i++)
      for (let j = 0; j < i; j++) expect(Math.abs(gram(pca, i, j))).toBeLessThan(1e-12 * scale)
    const kept = (method: 'random' | 'pca' | 'rotated-pca') =>
      reduceEmbeddings(x, { dim: 7, method }).info.keptEnergy
    expect(kept('pca')).toBeGreaterThan(kept('random') + 0.2)
    expect(kept('rotated-pca')).toBeCloseTo(kept('pca'), 12)
    const rotated = reduceEmbeddings(x, { dim: 7, method: 'rotated-pca' })
    const cosine = gram(rotated, 0, 1) / Math.sqrt(gram(rotated, 0, 0) * gram(rotated, 1, 1))
    expect(Math.abs(cosine)).toBeGreaterThan(0.01)
  })

  it('centres on request and repeats for one seed', () => {
    const shifted = { ...x, data: x.data.map((v, n) => v + (n % 37)) }
    const centred = reduceEmbeddings(shifted, { dim: 7, center: true, seed: 4 })
    const plain = reduceEmbeddings(x, { dim: 7, center: true, seed: 4 })
    expect(maxError(centred.data, plain.data)).toBeLessThan(1e-12)
    expect(reduceEmbeddings(x, { dim: 7, seed: 4 })).toEqual(reduceEmbeddings(x, { dim: 7, seed: 4 }))
    expect(reduceEmbeddings(x, { dim: 7, seed: 5 }).data).not.toEqual(
      reduceEmbeddings(x, { dim: 7, seed: 4 }).data,
    )
  })

  it('names what is out of range', () => {
    expect(() => reduceEmbeddings(x, { dim: 0 })).toThrow('dim must be an integer between 1')
    expect(() => reduceEmbeddings(x, { dim: 38, method: 'pca' })).toThrow(
      'between 1 and 37, got 38; pca has 37',
    )
    const zero = { data: new Float64Array(21), rows: 3, cols: 7 }
    expect(() => reduceEmbeddings(zero, { dim: 2 })).toThrow(
      'at least one element must differ from 0, got all zeros',
    )
    const equal = { data: new Float64Array(21).fill(3), rows: 3, cols: 7 }
    expect(() => reduceEmbeddings(equal, { dim: 2, center: true })).toThrow('differ from 0 after centring')
  })
})

/** Expects the same entries, up to the rounding of another order of sums. */
const expectClose = (found: Csr, expected: Csr) => {
  expect([found.indptr, found.indices]).toEqual([expected.indptr, expected.indices])
  expect(maxError(found.values, expected.values)).toBeLessThan(1e-12)
}

describe('the graph of buildManifold', () => {
  it.each([2, 3, 17, 37, 53])('of width 37 gives a sound Laplacian of dim %i', async (dim) => {
    const { laplacian, info } = await buildManifold(x, { dim })
    expect(checkLaplacian(laplacian, { size: dim })).toMatchObject({ ok: true, psdMethod: 'gershgorin' })
    expect(info).toMatchObject({ rows: 101, width: 37, dim, reduce: 'random', isolated: 0 })
    expect(info.edges).toBeGreaterThanOrEqual(dim / 2)
    expect(info.sigma).toBe(info.distances.median)
    expect(await buildManifold(x, { dim })).toEqual({ laplacian, info })
  })

  it('is the feature Laplacian of the reduced embeddings', async () => {
    const options = { k: 4, sigma: 0.8, p: 1.5, eps: 0.95, sparsify: true } as const
    const features = reduceEmbeddings(x, { dim: 17, seed: 6 })
    const { laplacian, info } = await buildManifold(x, { dim: 17, seed: 6, ...options })
    expectClose(laplacian, await featureLaplacian(features, options))
    expect(info.keptEnergy).toBeCloseTo(features.info.keptEnergy, 12)
    const own = (await buildManifold(x, { dim: 37, reduce: 'none', ...options })).laplacian
    expectClose(own, await featureLaplacian(x, options))
  })

  it('can be normalised and stays symmetric', async () => {
    const { laplacian } = await buildManifold(x, { dim: 17, normalization: 'symmetric' })
    expect(symmetryError(laplacian).error).toBe(0)
    expect(checkLaplacian(laplacian, { rowSums: 'any' }).ok).toBe(true)
    // @ts-expect-error JavaScript callers can still pass it
    const walk = buildManifold(x, { dim: 17, normalization: 'random-walk' })
    await expect(walk).rejects.toThrow("must be 'none' or 'symmetric', got 'random-walk'")
  })

  it('names the setting that gives a graph without information', async () => {
    const build = (options: Partial<ManifoldOptions>) => expect(buildManifold(x, { dim: 17, ...options }))
    await build({ eps: 1e-6 }).rejects.toThrow(
      /none within eps 0\.000001 among the 4 nearest of 17 features; raise eps/,
    )
    await build({ sigma: 1e-9, p: 4 }).rejects.toThrow(/with sigma 1e-9 \(rational\); raise sigma/)
    await build({ reduce: 'pca' }).rejects.toThrow(/PCA scores are mutually orthogonal.*use reduce 'random'/)
    await build({ sigma: 1000 }).rejects.toThrow(/sigma 1000 is far above the distances/)
    await build({ k: 17 }).rejects.toThrow('k must be an integer between 1 and 16 (nodes - 1), got 17')
    await build({ dim: 1 }).rejects.toThrow('dim must be an integer between 2')
    await build({ reduce: 'none' }).rejects.toThrow('the width must be dim, got width 37 and dim 17')
    await build({ sigma: -1 }).rejects.toThrow('sigma must be a positive finite number, got -1')
    const copies = {
      data: Float64Array.from({ length: 35 }, (_, n) => 1 + Math.floor(n / 5)),
      rows: 7,
      cols: 5,
    }
    await expect(buildManifold(copies, { dim: 5, reduce: 'none' })).rejects.toThrow(
      'half of the features are copies',
    )
    const orthogonal = {
      data: Float64Array.from({ length: 25 }, (_, n) => (n % 6 ? 0 : 1)),
      rows: 5,
      cols: 5,
    }
    await expect(buildManifold(orthogonal, { dim: 5, reduce: 'none' })).rejects.toThrow(
      'all features are equally far apart',
    )
  })

  it("writes its settings under ArrowSpace's keys", async () => {
    const { info } = await buildManifold(x, { dim: 17, k: 5, eps: 1.2, p: 1.8, seed: 3 })
    expect(manifoldConfig(info)).toMatchObject({
      lambda_k: { Usize: 5 },
      lambda_eps: { F64: 1.2 },
      lambda_p: { F64: 1.8 },
      lambda_sigma: { OptionF64: info.sigma },
      nfeatures: { Usize: 17 },
      nitems: { Usize: 101 },
      tau_seed: { OptionU64: 3 },
    })
  })
})
