import { cpu, gpu } from '@tau/tensor'
import { describeDevices, expectNear, randomArray } from '@tau/testing'
import { expect, it } from 'vitest'
import { referenceTauReference } from './reference.ts'
import { referenceTau } from './reference-tau.ts'

describeDevices('referenceTau', { cpu, gpu }, (device) => {
  it.for([
    [5, 1],
    [3, 2],
    [11, 7],
    [2, 64],
    [3, 257],
  ])('is the reference median and mean for %j', async ([rows, dim]) => {
    using _scope = device().scope()
    const values = Float32Array.from(randomArray(rows * dim, dim), (v) => v + 0.3)
    for (const middle of ['median', 'mean'] as const) {
      const expected = referenceTauReference(Float64Array.from(values), dim, middle, 1e-6)
      const found = await referenceTau(device().tensor(values, [rows, dim]), middle).data()
      expectNear(found, expected, { atol: 1e-9, rtol: middle === 'mean' ? 2e-6 : 1e-7 })
    }
  })

  it('falls to eps or the floor, sorts ties and signs, and keeps NaN', async () => {
    using _scope = device().scope()
    const rows = [
      [-3, -1, -2, -7],
      [2, 2, 2, 1],
      [0, -0, 0, 0],
      [1, Number.NaN, 2, 3],
      [3e38, 3e38, 3e38, 3e38],
    ]
    const x = device().tensor(rows.flat(), [5, 4])
    expectNear(await referenceTau(x, 'median').data(), [1e-6, 2, 1e-6, Number.NaN, Math.fround(3e38)], {
      rtol: 1e-6,
    })
    expectNear(await referenceTau(device().tensor([-1, -1], [1, 2]), 'mean', 0).data(), [1e-10], {
      rtol: 1e-6,
    })
    expect(() => referenceTau(device().tensor([], [3, 0]), 'mean')).toThrow(
      'referenceTau: the last axis must have 1 to 65536 elements, got [3, 0]',
    )
  })
})
