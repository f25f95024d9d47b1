import { csrFromCoo, csrFromDense, type TauPolicy } from '@tau/graph'
import { cpu, type Device, gpu, grad, sum, type Tensor } from '@tau/tensor'
import {
  checkGradients,
  describeDevices,
  expectNear,
  expectOracle,
  itMatchesOracle,
  randomArray,
} from '@tau/testing'
import type { OracleArray } from '@tau/testing/oracle'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LaplacianTensor } from '../../laplacian-tensor.ts'
import { outAndGrads, tensorOf } from '../../testing/tensors.ts'
import { referenceTau } from '../reference-tau/reference-tau.ts'
import { taumodeReference } from './reference.ts'
import { calibrateTau, rayleighEnergy, taumode } from './taumode.ts'

/** D − W of a random graph of about `degree` edges per node, plus a path that connects it. */
function randomLaplacian(dim: number, degree: number, seed: number): Float64Array {
  const noise = randomArray(dim * dim, seed)
  const dense = new Float64Array(dim * dim)
  for (let i = 0; i < dim; i++)
    for (let j = i + 1; j < dim; j++) {
      const chosen = j === i + 1 || Math.abs(noise[i * dim + j]) < degree / dim / 1.2
      const weight = chosen ? 0.1 + Math.abs(noise[j * dim + i]) : 0
      dense[i * dim + j] = dense[j * dim + i] = -weight
      dense[i * dim + i] += weight
      dense[j * dim + j] += weight
    }
  return dense
}

const upload = (device: Device, dense: Float64Array, size: number) =>
  LaplacianTensor.from(device, { dense, size })

interface PolicyJson {
  readonly name: string
  readonly value?: number
}

const keyOf = ({ name, value }: PolicyJson) =>
  value === undefined ? name : `${name}_${Number.isInteger(value) ? value.toFixed(1) : value}`

async function tauFor(x: Tensor, laplacian: LaplacianTensor, policy: PolicyJson, eps: number) {
  const { name, value = 0 } = policy
  if (name === 'reference_median') return referenceTau(x, 'median', eps)
  if (name === 'reference_mean') return referenceTau(x, 'mean', eps)
  const plain = (name === 'median' || name === 'mean' ? { name } : { name, value }) as TauPolicy
  return calibrateTau(x, laplacian, plain, { eps })
}

describeDevices('taumode', { cpu, gpu }, (device, name) => {
  itMatchesOracle<
    {
      x: OracleArray
      r: OracleArray
      eps: number
      policies: PolicyJson[]
      laplacian: Record<'row' | 'col' | 'value', OracleArray> & { size: number }
    },
    { energy: OracleArray; policies: Record<string, Record<'tau' | 'lambda' | 'grad_x', OracleArray>> }
  >('taumode', async ({ inputs, expected, tolerance }) => {
    using _scope = device().scope()
    const { size, row, col, value } = inputs.laplacian
    using laplacian = LaplacianTensor.from(
      device(),
      csrFromCoo({ nRows: size, nCols: size, row: row.data, col: col.data, value: value.data }),
    )
    const { eps } = inputs
    const x = tensorOf(device(), inputs.x)
    const energy = await rayleighEnergy(x, laplacian, { eps }).data()
    expectOracle({ energy }, expected, { energy: tolerance.energy })
    for (const policy of inputs.policies) {
      const tau = await tauFor(x, laplacian, policy, eps)
      const { out, grads } = await outAndGrads({ x }, tensorOf(device(), inputs.r), () =>
        taumode(x, laplacian, tau, { eps }),
      )
      const key = keyOf(policy)
      const found = typeof tau === 'number' ? [tau] : await tau.data()
      expectOracle(
        { tau: found, lambda: out, grad_x: grads.x },
        expected.policies[key],
        tolerance.policies[key],
      )
    }
  })

  it.for([
    [1, 1],
    [5, 2],
    [8, 7],
    [19, 23],
    [3, 131],
  ])('is within 2e-6 of the f64 reference: %j vectors and elements', async ([rows, dim]) => {
    using _scope = device().scope()
    const dense = randomLaplacian(dim, 5, dim)
    using laplacian = upload(device(), dense, dim)
    const values = Float32Array.from(randomArray(rows * dim, rows))
    const found = taumode(device().tensor(values, [rows, dim]), laplacian, 0.7)
    const expected = taumodeReference(Float64Array.from(values), dense, dim, () => 0.7)
    expect(found.shape).toEqual([rows])
    expectNear(await found.data(), expected.lambda, { atol: 2e-6 }) // f32 sums of up to 131·5 positive terms
  })

  it('has the gradients of the reference for x and for τ of each head', async () => {
    const [batch, heads, length, dim, tauHeads] = [2, 6, 3, 5, 3]
    const dense = randomLaplacian(dim, 3, 11)
    using laplacian = upload(device(), dense, dim)
    const shape = [batch, heads, length, dim]
    await checkGradients({
      inputs: [randomArray(batch * heads * length * dim, 1), Float64Array.of(0.4, 1.1, 2.3)],
      reference: (x, tau) =>
        taumodeReference(
          x,
          dense,
          dim,
          (row) => tau[Math.floor((Math.floor(row / length) % heads) / (heads / tauHeads))],
        ).lambda,
      gradients: async ([x, tau], weights) => {
        using _scope = device().scope()
        const inputs = { x: device().tensor(x, shape), tau: device().tensor(tau) }
        const { grads } = await outAndGrads(inputs, device().tensor(weights, shape.slice(0, -1)), () =>
          taumode(inputs.x, laplacian, inputs.tau),
        )
        return [grads.x, grads.tau]
      },
      tolerance: { atol: 3e-6 },
    })
  })

  it('takes one τ per vector and passes it a gradient', async () => {
    const [rows, dim] = [11, 7]
    const dense = randomLaplacian(dim, 3, 2)
    using laplacian = upload(device(), dense, dim)
    await checkGradients({
      inputs: [randomArray(rows * dim, 4), randomArray(rows, 5).map((v) => 0.2 + Math.abs(v))],
      reference: (x, tau) => taumodeReference(x, dense, dim, (row) => tau[row]).lambda,
      gradients: async ([x, tau], weights) => {
        using _scope = device().scope()
        const inputs = { x: device().tensor(x, [rows, dim]), tau: device().tensor(tau) }
        const { grads } = await outAndGrads(inputs, device().tensor(weights), () =>
          taumode(inputs.x, laplacian, inputs.tau),
        )
        return [grads.x, grads.tau]
      },
      tolerance: { atol: 3e-6 },
    })
  })

  it('stays in [0, 1], ignores scale, and is 0 on constants', async () => {
    const dim = 13
    using laplacian = upload(device(), randomLaplacian(dim, 4, 8), dim)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -64, max: 64 }), { minLength: dim, maxLength: dim }),
        fc.integer({ min: -60, max: 120 }),
        async (values, exponent) => {
          using _scope = device().scope()
          const x = device().tensor(
            [...values, ...values.map((v) => v * 2 ** exponent), ...values.map(() => 2 ** exponent)],
            [3, dim],
          )
          const [plain, scaled, constant] = await taumode(x, laplacian, 1, { eps: 0 }).data()
          expect(plain).toBeGreaterThanOrEqual(0)
          expect(plain).toBeLessThan(1)
          expect(scaled).toBeCloseTo(plain, 6)
          expect(constant).toBeLessThan(1e-6)
        },
      ),
      { seed: 1, numRuns: name.startsWith('cpu') ? 100 : 25 },
    )
  })

  it('gives the same λ from a dense matrix and from CSR, and keeps NaN', async () => {
    using _scope = device().scope()
    const dim = 9
    const dense = randomLaplacian(dim, 4, 3)
    using a = upload(device(), dense, dim)
    using b = LaplacianTensor.from(device(), csrFromDense({ data: dense, rows: dim, cols: dim }))
    const values = Float32Array.from(randomArray(2 * dim, 6))
    const x = device().tensor(values, [2, dim])
    expect(await taumode(x, a, 1).data()).toEqual(await taumode(x, b, 1).data())
    values[4] = Number.NaN
    const [bad, good] = await taumode(device().tensor(values, [2, dim]), a, 1).data()
    expect(bad).toBeNaN()
    expect(good).toBeGreaterThan(0)
  })

  it('refuses bad sizes, τ, eps and recorded energies, and quotes the values', () => {
    using _scope = device().scope()
    using laplacian = upload(device(), randomLaplacian(3, 2, 1), 3)
    const x = device().tensor(new Float32Array(24), [2, 4, 3])
    const wrong = device().tensor(new Float32Array(8), [2, 4])
    expect(() => taumode(wrong, laplacian, 1)).toThrow(
      'taumode: L must be [D, D] = [4, 4] for x [2, 4], got [3, 3]; rebuild the graph on head features',
    )
    expect(() => taumode(x, laplacian, 0)).toThrow('taumode: tau must be above 0 and finite, got 0')
    expect(() => taumode(x, laplacian, device().tensor([1, 1, 1]))).toThrow(
      'taumode: tau must be a number, [Hτ] with Hτ dividing 2 heads, or [2, 4], got [3]',
    )
    expect(() => taumode(x, laplacian, 1, { eps: -1 })).toThrow(
      'taumode: eps must be at least 0 and finite, got -1',
    )
    expect(() => grad(() => sum(rayleighEnergy(x, laplacian)), [x])).toThrow(
      'rayleighEnergy: this operation has no gradient',
    )
  })
})
