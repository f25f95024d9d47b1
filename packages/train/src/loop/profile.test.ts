import { cpu, type Device, profileTotals } from '@tau/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAll, tiny, tinyData, tinyModel, tinyOptions } from '../testing.ts'
import { profileStep } from './profile.ts'

let device: Device
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())

describe('profileStep', () => {
  it.each([
    ['tau', { attention: 'tau' }],
    ['dot', { attention: 'dot', decay: 'constant' }],
    ['paper', { preset: 'paper' }],
  ] as const)(
    'times a step of a %s model in phases that add up, and leaves the model as it is',
    async (_, options) => {
      using model = tinyModel(device, options)
      const before = await readAll(model.parameters)
      await profileStep(model, tinyOptions) // RoPE's angles stay with the model
      const { liveBuffers } = device.memory
      const profile = await profileStep(model, tinyOptions)
      expect(await readAll(model.parameters)).toEqual(before)
      expect(device.memory.liveBuffers).toBe(liveBuffers)

      const { phases, kernels, kernelMs } = profileTotals(profile)
      expect(phases.map(({ name }) => name)).toEqual(['data', 'forward', 'backward', 'optimizer'])
      expect(phases.reduce((sum, phase) => sum + phase.kernelMs, 0)).toBeCloseTo(kernelMs, 9)
      expect(phases.reduce((sum, { ms }) => sum + ms, 0)).toBeLessThanOrEqual(profile.ms)
      expect(kernelMs).toBeLessThan(profile.ms)
      for (const { calls, ms, bytes, kernel } of kernels) {
        expect(bytes, kernel).toBeGreaterThanOrEqual(4 * calls)
        expect(Number.isFinite(ms), kernel).toBe(true)
      }
      expect(kernels.filter(({ kernel }) => kernel === 'adamw')).toMatchObject([
        { calls: before.size, bytes: 7 * 4 * model.parameterCount },
      ])
    },
  )

  it('does the products of a step: twice the parameters of its matrices forward, and that twice backward', async () => {
    using model = tinyModel(device, {
      attention: 'dot',
      tokenShift: 'none',
      decay: 'none',
      outputGate: false,
    })
    const { launches } = await profileStep(model, tinyOptions)
    const flops = launches
      .filter(({ kernel }) => kernel.startsWith('matmul'))
      .reduce((sum, { work }) => sum + (work.flops ?? 0), 0)
    const matrices = Array.from(model.parameters)
      .filter(([name, { rank }]) => rank === 2 && name !== 'wte.weight')
      .reduce((sum, [, { size }]) => sum + size, 0)
    expect(flops).toBe(3 * 2 * matrices * tinyOptions.batchSize * tiny.seqLen)
  })

  it('takes ids, micro-batches and checkpointed activations', async () => {
    using model = tinyModel(device)
    const options = { ...tinyOptions, accumulate: 2, checkpointActivations: true }
    const { spans } = await profileStep(model, options, tinyData().train)
    const calls = (name: string) => spans.filter((span) => span.name === name).length
    expect([calls('forward'), calls('backward'), calls('accumulate'), calls('optimizer')]).toEqual([
      2, 2, 1, 1,
    ])
    expect(calls('forward again')).toBeGreaterThanOrEqual(2 * tiny.nLayer)
  })

  it('has the same launches each time', async () => {
    using model = tinyModel(device)
    const [first, second] = [await profileStep(model, tinyOptions), await profileStep(model, tinyOptions)]
    const of = ({ launches }: typeof first) =>
      launches.map(({ kernel, phase, tiles, work }) => ({ kernel, phase, tiles, work }))
    expect(of(second)).toEqual(of(first))
  })
})
