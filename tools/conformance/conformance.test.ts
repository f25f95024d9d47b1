import { cpu, type Device, gpu } from '@tau/tensor'
import { gpuModes } from '@tau/testing'
import { fixturesFolder, readGroups } from '@tau/testing/oracle/files'
import { describe, expect, it } from 'vitest'
import { compare } from './compare.ts'
import { passed, runConformance } from './conformance.ts'

describe('compare', () => {
  const expected = { out: { shape: [2], data: [1, 2] } }
  const tolerance = { out: { f32: 0.1, f64: 1e-9 } }

  it('measures errors in units of the tolerance', () => {
    expect(compare({ out: [1, 2.05] }, expected, tolerance).error).toBeCloseTo(0.5)
    expect(compare({ out: [1.2, 2] }, expected, tolerance).error).toBeCloseTo(2)
  })

  it.each([
    ['a missing field', {}],
    ['too few values', { out: [1] }],
    ['NaN', { out: [1, Number.NaN] }],
  ])('fails for %s', (_, found) => {
    expect(compare(found, expected, tolerance).error).toBe(Number.POSITIVE_INFINITY)
  })

  it('wants integers without tolerance to be equal', () => {
    expect(compare({ row: [0, 2] }, { row: { shape: [2], data: [0, 1] } }, {}).error).toBe(
      Number.POSITIVE_INFINITY,
    )
  })
})

const openers: Record<string, () => Promise<Device>> = {
  'cpu plain SIMD': () => cpu({ threads: 1, simd: 'plain' }),
  'cpu relaxed SIMD, 2 threads': () => cpu({ threads: 2, simd: 'relaxed' }),
  // Hand-written kernels have their own tests, and `npm run conformance` runs them.
  ...Object.fromEntries(gpuModes.map((mode) => [`gpu.js ${mode}`, () => gpu({ mode, kernels: 'portable' })])),
}

describe('fixtures', () => {
  it.for(Object.keys(openers))('all pass on %s', { timeout: 300_000 }, async (name) => {
    const device = await openers[name]()
    const reports = await runConformance(readGroups(fixturesFolder), device)
    await device.close()
    expect(
      reports.flatMap(({ group, algorithm = '', failed }) =>
        failed.map((failure) => `${group} ${algorithm} ${failure.name}: ${failure.message}`),
      ),
    ).toEqual([])
    expect(passed(reports)).toBe(true)
    const kernels = reports.flatMap(({ group, algorithm }) => (group === 'attention' ? [algorithm] : []))
    expect(kernels).toEqual(device.info.backend === 'cpu' ? ['quadratic', 'sorted'] : ['quadratic'])
  })

  it('reports a group without a runner as not run, and a missing one as a failure', async () => {
    const device = await cpu({ threads: 1 })
    const rope = readGroups(fixturesFolder).get('rope')
    if (!rope) throw new Error('internal: the oracle has a group rope')
    const later = { ...rope, group: 'toString' }
    const reports = await runConformance(new Map([rope, later].map((group) => [group.group, group])), device)
    await device.close()
    expect(reports.filter(({ present }) => present)).toMatchObject([
      { group: 'rope', hasRunner: true, cases: rope.cases.length, failed: [] },
      { group: 'toString', hasRunner: false, cases: rope.cases.length },
    ])
    expect(passed(reports)).toBe(false)
    expect(passed(reports.filter(({ present }) => present))).toBe(true)
  })
})
