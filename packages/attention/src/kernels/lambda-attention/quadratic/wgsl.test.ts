import { type Device, gpu } from '@tau/tensor'
import { expectNear, gpuModes, randomArray } from '@tau/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { randomDecay, splitReadings, uniform } from '../../../testing/attention-cases.ts'
import { outAndGrads } from '../../../testing/tensors.ts'
import { lambdaAttention } from '../lambda-attention.ts'
import { lambdaAttentionGradReference, lambdaAttentionReference, type ReferenceSizes } from '../reference.ts'

const rounded = (values: Float64Array) => Float64Array.from(Float32Array.from(values))

/** Several tiles of queries, keys and channels, each with an incomplete tile at the edge. Channels are a
 *  multiple of four or not. There are groups of heads, and several spans of keys. */
const SIZES: readonly ReferenceSizes[] = [
  { batch: 1, heads: 1, kvHeads: 1, queries: 64, keys: 64, dim: 64 },
  { batch: 2, heads: 4, kvHeads: 2, queries: 70, keys: 139, dim: 68 },
  { batch: 1, heads: 3, kvHeads: 1, queries: 131, keys: 131, dim: 67 },
  { batch: 1, heads: 2, kvHeads: 2, queries: 5, keys: 601, dim: 4 },
]

describe.runIf(gpuModes.includes('webgpu'))('hand-written lambdaAttention', () => {
  const devices: Record<'tuned' | 'portable', Device | undefined> = { tuned: undefined, portable: undefined }
  beforeAll(async () => {
    for (const kernels of ['tuned', 'portable'] as const)
      devices[kernels] = await gpu({ mode: 'webgpu', kernels })
  })
  afterAll(() => Promise.all(Object.values(devices).map((device) => device?.close())))

  async function run(kernels: 'tuned' | 'portable', sizes: ReferenceSizes, hasDecay: boolean) {
    const device = devices[kernels]
    if (!device) throw new Error(`no device for ${kernels}`)
    const { batch, heads, kvHeads, queries, keys, dim } = sizes
    const decayReadings = randomDecay(batch * heads, keys, 4)
    const [q, k, v] = [
      rounded(uniform(batch * heads * queries, 1)),
      rounded(uniform(batch * kvHeads * keys, 2)),
      rounded(randomArray(batch * kvHeads * keys * dim, 3)),
    ]
    const temperature = rounded(Float64Array.from({ length: heads }, (_, h) => 0.1 * (1 + h)))
    const dOut = rounded(randomArray(q.length * dim, 5))
    using _scope = device.scope()
    const inputs = {
      lambdaQ: device.tensor(q, [batch, heads, queries], 'f32'),
      lambdaK: device.tensor(k, [batch, kvHeads, keys], 'f32'),
      v: device.tensor(v, [batch, kvHeads, keys, dim], 'f32'),
      temperature: device.tensor(temperature, [heads], 'f32'),
    }
    const parts = splitReadings(decayReadings)
    const [high, low] = [parts.high, parts.low].map((part) => device.tensor(part, [batch, heads, keys]))
    const weights = device.tensor(dOut, [batch, heads, queries, dim], 'f32')
    const { out, grads } = await outAndGrads<string>(
      { ...inputs, ...(hasDecay && { logDecay: high }) },
      weights,
      () => lambdaAttention({ ...inputs, ...(hasDecay && { logDecay: { high, low } }) }),
    )
    const exact = [q, k, v, temperature, hasDecay ? decayReadings : new Float64Array(batch * heads * keys)]
    return { out, grads: Object.values(grads), exact, dOut }
  }

  it.for([...SIZES.map((sizes) => ({ ...sizes, hasDecay: true })), { ...SIZES[1], hasDecay: false }])(
    'agrees with the f64 reference and with the portable kernels, forward and backward: %o',
    async ({ hasDecay, ...sizes }) => {
      const { out, grads, exact, dOut } = await run('tuned', sizes, hasDecay)
      const portable = await run('portable', sizes, hasDecay)
      const [q, k, v, temperature, logDecay] = exact
      expectNear(out, lambdaAttentionReference(sizes, q, k, v, temperature, logDecay), { atol: 3e-6 })
      expectNear(out, Float64Array.from(portable.out), { atol: 5e-6 })
      const wanted = lambdaAttentionGradReference(sizes, exact, dOut)
      for (const [i, found] of grads.entries()) {
        const size = Math.max(...wanted[i].map(Math.abs))
        // Hundreds of terms cancel, each exact to a few 1e-7.
        expectNear(found, wanted[i], { atol: 3e-6 * size })
        expectNear(found, Float64Array.from(portable.grads[i]), { atol: 5e-6 * size })
      }
    },
  )
})
