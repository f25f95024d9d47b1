import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Device, DeviceLostError, gpu } from '@tau/tensor'
import { gpuModes } from '@tau/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StepRecord } from '../metrics/records.ts'
import { tinyData, tinyModel, tinyOptions } from '../testing.ts'
import { trainThroughDeviceLoss } from './device-loss.ts'

/** Destroys the GPU device that all engines of the process share. */
async function loseDevice(): Promise<void> {
  const { default: module } = await import('gpu.js')
  await Reflect.get(module, 'WebGPUContext').destroy()
}

const options = { ...tinyOptions, steps: 7, checkpointEvery: 3, evalEvery: 0, headsEvery: 0 }

describe.runIf(gpuModes.includes('webgpu'))('trainThroughDeviceLoss', () => {
  let directory = ''
  const devices: Device[] = []
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tau-recover-'))
  })
  afterEach(async () => {
    for (const device of devices.splice(0)) await device.close()
    await rm(directory, { recursive: true })
  })
  const open = async (kernels: 'tuned' | 'portable') => {
    const device = await gpu({ mode: 'webgpu', kernels })
    devices.push(device)
    return device
  }

  /** Trains, and loses the device once after each of the given steps. Returns the steps with their losses,
   *  and the steps from which the run continued. */
  async function run(
    lost: readonly number[],
    checkpoints: string | undefined,
    kernels: 'tuned' | 'portable' = 'portable', // portable kernels compile fast, and each new device compiles them again
  ) {
    const left = [...lost]
    const steps: [step: number, loss: number][] = []
    const goneOnFrom: number[] = []
    const { result, model } = await trainThroughDeviceLoss({
      model: tinyModel(await open(kernels)),
      checkpoints,
      task: (model, resume) => ({
        model,
        data: tinyData(),
        options,
        ...(checkpoints !== undefined && { checkpoints }),
        ...(resume && { resume }),
        onRecord: async (record) => {
          if (record.kind !== 'step') return
          const { step, loss }: StepRecord = record
          steps.push([step, loss])
          if (left[0] !== step) return
          left.shift()
          await loseDevice()
        },
      }),
      reopen: () => open(kernels),
      restart: (device) => tinyModel(device),
      onDeviceLost: (error, _, step) => {
        expect(error).toBeInstanceOf(DeviceLostError)
        goneOnFrom.push(step)
      },
    })
    expect(result).toMatchObject({ step: options.steps, reason: 'finished' })
    expect(model.device).toBe(devices.at(-1))
    expect(Number.isFinite(result.valLoss)).toBe(true)
    return { steps, losses: Array.from(new Map(steps)), goneOnFrom }
  }

  it('goes on from the last checkpoint, or from the beginning, with the same numbers', async () => {
    const expected = await run([], directory)
    expect(expected.losses).toHaveLength(options.steps)
    const broken = join(directory, 'broken')
    const found = await run([2, 4, 5], broken)
    expect(found.goneOnFrom).toEqual([0, 3, 3])
    expect(found.losses).toEqual(expected.losses)
  })

  it('does the steps of tau attention again on the hand-written kernels of another device', async () => {
    const { steps, goneOnFrom } = await run([5], directory, 'tuned')
    expect(goneOnFrom).toEqual([3])
    expect(steps.map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 4, 5, 6, 7])
    expect(steps.slice(5, 7)).toEqual(steps.slice(3, 5))
    for (const { engine } of devices)
      expect(engine.backend === 'gpu' && engine.kernelRuns.get('lambdaBackwardRows')).toBe(true)
  })

  it('begins again without checkpoints, and gives up when it gets nowhere', async () => {
    const { goneOnFrom } = await run([2, 5], undefined)
    expect(goneOnFrom).toEqual([0, 0])
    await expect(run([3, 1, 1, 1], undefined)).rejects.toThrow(DeviceLostError)
  })
})
