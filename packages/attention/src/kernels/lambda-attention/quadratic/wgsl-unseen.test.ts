import { type Device, gpu } from '@tau/tensor'
import { gpuModes, randomArray } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomDecay, uniform } from '../../../testing/attention-cases.ts'
import { outAndGrads } from '../../../testing/tensors.ts'
import { lambdaAttention } from '../lambda-attention.ts'

// Two tiles of queries and three of keys. Queries before `FIRST` do not see the keys from `AT` on. `FIRST`
// lies in the middle of a tile.
const [QUERIES, KEYS, DIM] = [100, 131, 68]
const AT = 83
const FIRST = AT - (KEYS - QUERIES)

const arrays = () => ({
  lambdaQ: Float32Array.from(uniform(QUERIES, 1)),
  lambdaK: Float32Array.from(uniform(KEYS, 2)),
  v: Float32Array.from(randomArray(KEYS * DIM, 3)),
  logDecay: Float32Array.from(randomDecay(1, KEYS, 4)),
  dOut: Float32Array.from(randomArray(QUERIES * DIM, 5)),
})
type Arrays = ReturnType<typeof arrays>

/** Rows [from, to) of a matrix with `rows` rows. */
function part(x: Float32Array, rows: number, from: number, to: number): Float32Array {
  const width = x.length / rows
  return x.slice(from * width, to * width)
}

const fill = (x: Float32Array, rows: number, from: number, to: number, value: number): void => {
  const width = x.length / rows
  x.fill(value, from * width, to * width)
}

describe.runIf(gpuModes.includes('webgpu'))('pairs of lambdaAttention that a query does not see', () => {
  const devices = new Map<string, Device>()
  beforeAll(async () => {
    for (const kernels of ['tuned', 'portable'] as const)
      devices.set(kernels, await gpu({ mode: 'webgpu', kernels }))
  })
  afterAll(() => Promise.all([...devices.values()].map((device) => device.close())))

  async function run(kernels: string, { lambdaQ, lambdaK, v, logDecay, dOut }: Arrays) {
    const device = devices.get(kernels)
    if (!device) throw new Error(`no device for ${kernels}`)
    using _scope = device.scope()
    const inputs = {
      lambdaQ: device.tensor(lambdaQ, [1, 1, QUERIES]),
      lambdaK: device.tensor(lambdaK, [1, 1, KEYS]),
      v: device.tensor(v, [1, 1, KEYS, DIM]),
      temperature: device.tensor([0.1]),
      logDecay: device.tensor(logDecay, [1, 1, KEYS]),
    }
    const weights = device.tensor(dOut, [1, 1, QUERIES, DIM])
    return await outAndGrads(inputs, weights, () => lambdaAttention(inputs))
  }

  const cases = ['tuned', 'portable'].flatMap((kernels) =>
    [Number.NaN, Number.POSITIVE_INFINITY].map((value) => [kernels, value] as const),
  )

  it.each(cases)('do not pass a later token on to earlier queries: %s, %d', async (kernels, value) => {
    const early = async (changed: Arrays) => {
      const { out, grads } = await run(kernels, changed)
      return [out, grads.lambdaQ].map((x) => part(x, QUERIES, 0, FIRST))
    }
    const expected = await early(arrays())
    for (const name of ['lambdaK', 'v', 'logDecay'] as const) {
      const spoilt = arrays()
      fill(spoilt[name], KEYS, AT, KEYS, value)
      expect(await early(spoilt), name).toEqual(expected)
    }
  })

  it.each(cases)('do not pass an earlier query on to later keys: %s, %d', async (kernels, value) => {
    const late = async (changed: Arrays) => {
      const { out, grads } = await run(kernels, changed)
      return [
        ...[out, grads.lambdaQ].map((x) => part(x, QUERIES, FIRST, QUERIES)),
        ...[grads.lambdaK, grads.v, grads.logDecay].map((x) => part(x, KEYS, AT, KEYS)),
      ]
    }
    const expected = await late(arrays())
    for (const name of ['lambdaQ', 'dOut'] as const) {
      const spoilt = arrays()
      fill(spoilt[name], QUERIES, 0, FIRST, value)
      expect(await late(spoilt), name).toEqual(expected)
    }
  })
})
