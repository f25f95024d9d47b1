import { cpu, type Device, grad, profile, sum } from '@tau/tensor'
import type { Work } from '@tau/tensor/kernel'
import { randomArray } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LaplacianTensor } from '../laplacian-tensor.ts'
import { dotAttention } from './dot-attention/dot-attention.ts'
import { lambdaAttention } from './lambda-attention/lambda-attention.ts'
import { taumode } from './taumode/taumode.ts'

let device: Device
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())

const input = (shape: readonly number[], seed: number) => {
  const size = shape.reduce((a, b) => a * b)
  return device.tensor(randomArray(size, seed), shape)
}

/** Work of the launches of `f` that have these names. */
async function worksOf(names: readonly string[], f: () => unknown): Promise<Work[]> {
  using _scope = device.scope()
  const { launches } = (await profile(device, f)).profile
  return names.map((name) => {
    const [one, ...more] = launches.filter(({ kernel }) => kernel === name)
    expect([one?.kernel, more.length]).toEqual([name, 0])
    return one.work
  })
}

describe('work of the attentions', () => {
  const [batch, heads, kvHeads, queries, keys, dim, valueDim] = [3, 4, 2, 5, 7, 11, 13]
  // The queries are at the last 5 of 7 times. Query i sees 3 + i keys: 3 + 4 + 5 + 6 + 7.
  const pairs = batch * heads * 25
  const shape = '3 x 4 heads, 5 of 7'

  it('counts visible pairs, and each row once: dot product', async () => {
    const q = input([batch, heads, queries, dim], 1)
    const k = input([batch, kvHeads, keys, dim], 2)
    const v = input([batch, kvHeads, keys, valueDim], 3)
    const works = await worksOf(['dotAttention', 'dotAttentionGrad'], () =>
      grad(() => sum(dotAttention({ q, k, v })), [q, k, v]),
    )
    const [queryRows, keyRows] = [batch * heads * queries, batch * kvHeads * keys]
    expect(works).toEqual([
      {
        flops: 2 * pairs * (dim + valueDim),
        bytes: 4 * (queryRows * (dim + valueDim + 2) + keyRows * (dim + valueDim)),
        shape,
      },
      {
        flops: 4 * pairs * (dim + valueDim),
        bytes: 4 * (queryRows * (2 * dim + valueDim + 3) + 2 * keyRows * (dim + valueDim)),
        shape,
      },
    ])
  })

  it('counts visible pairs, and each row once: λ-distance', async () => {
    const lambdaQ = input([batch, heads, queries], 1)
    const lambdaK = input([batch, kvHeads, keys], 2)
    const v = input([batch, kvHeads, keys, valueDim], 3)
    const temperature = device.tensor(Array<number>(heads).fill(0.5))
    const works = await worksOf(['lambdaAttention', 'lambdaAttentionGrad'], () =>
      grad(
        () => sum(lambdaAttention({ lambdaQ, lambdaK, v, temperature, algorithm: 'quadratic' })),
        [lambdaQ, lambdaK, v],
      ),
    )
    expect(works.map((work) => work.flops)).toEqual([2 * pairs * valueDim, 4 * pairs * valueDim])
    const [queryRows, keyRows] = [batch * heads * queries, batch * kvHeads * keys]
    expect(works.map((work) => work.bytes)).toEqual([
      4 * (queryRows * (1 + 2 * valueDim + 9) + keyRows * (1 + valueDim)),
      4 * (queryRows * (2 + valueDim + 11) + 2 * keyRows * (1 + valueDim)),
    ])
  })

  it('counts all rows when times are solved, and half of them when two halves are joined: λ-distance, sorted', async () => {
    using _scope = device.scope()
    const [times, dim] = [100, 12]
    const lambda = input([1, 3, times], 1)
    const v = input([1, 3, times, dim], 2)
    const temperature = device.tensor([0.5, 0.5, 0.5])
    const bytesOn = async (threads: number) => {
      const other = await cpu({ threads })
      const at = (tensor: typeof lambda, values: Float32Array) => other.tensor(values, tensor.shape)
      const inputs = {
        lambdaQ: at(lambda, await lambda.data()),
        lambdaK: at(lambda, await lambda.data()),
        v: at(v, await v.data()),
        temperature: at(temperature, await temperature.data()),
      }
      const run = () => lambdaAttention({ ...inputs, algorithm: 'sorted' })
      const { launches } = (await profile(other, run)).profile
      await other.close()
      return launches.filter(({ kernel }) => kernel === 'lambdaSweepForward').map(({ work }) => work.bytes)
    }
    // Solve: λq, the best score (8 bytes) and out of a query; λk and v of a key; then the mass. Finish: mass
    // in, out in and out.
    const [solve, finish] = [4 * 300 * (4 + dim + 1 + dim), 4 * 300 * (1 + 2 * dim)]
    expect(await bytesOn(1)).toEqual([solve, finish])
    // Two threads cannot share three heads evenly. So each head is cut into blocks of 32 times, joined to 64
    // and 128.
    expect(await bytesOn(2)).toEqual([solve, solve / 2, solve / 2, finish])
  })

  it('counts edges of the graph once forward and twice back', async () => {
    // A path of three nodes: two edges.
    using laplacian = LaplacianTensor.from(device, { dense: [1, -1, 0, -1, 2, -1, 0, -1, 1], size: 3 })
    const x = input([2, 17, 3], 4)
    const tau = device.scalar(1)
    const works = await worksOf(['taumode', 'taumodeGrad'], () =>
      grad(() => sum(taumode(x, laplacian, tau)), [x]),
    )
    const rows = 34
    expect(works).toEqual([
      { flops: rows * (2 * 4 + 3 * 4), bytes: 4 * rows * (3 + 2) },
      { flops: rows * (4 * 3 + 3 * 4), bytes: 4 * rows * (6 + 2) },
    ])
  })
})
