import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Device, DeviceLostError, gpu } from '@tau/tensor'
import { gpuModes } from '@tau/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StepRecord } from '../metrics/records.ts'
import { tinyData, tinyModel, tinyOptions } from '../testing.ts'
import { trainThroughLosses } from './recover.ts'

/** Destroys the device that all engines of the process share. */
async function loseDevice(): Promise<void> {
  const { default: module } = await import('gpu.js')
  await Reflect.get(module, 'WebGPUContext').destroy()
}

const options = { ...tinyOptions, steps: 7, checkpointEvery: 3, evalEvery: 0, headsEvery: 0 }

describe.runIf(gpuModes.includes('webgpu'))('trainThroughLosses', () => {
  let directory = ''
  const devices: Device[] = []
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tau-recover-'))
  })
  afterEach(async () => {
    for (const device of devices.splice(0)) await device.close()
    await rm(directory, { recursive: true })
  })
  const reopen = async () => {
    const device = await gpu({ mode: 'webgpu', kernels: 'portable' }) // which compile in no time, again and again
    devices.push(device)
    return device
  }

  /** Losses by step, the last of each, of a run whose device is lost after the steps given, once each time they come. */
  async function run(lost: readonly number[], checkpoints: string | undefined) {
    const left = [...lost]
    const losses = new Map<number, number>()
    const goneOnFrom: number[] = []
    const { result, model } = await trainThroughLosses({
      model: tinyModel(await reopen()),
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
          losses.set(step, loss)
          if (left[0] !== step) return
          left.shift()
          await loseDevice()
        },
      }),
      reopen,
      restart: (device) => tinyModel(device),
      onLost: (error, _, step) => {
        expect(error).toBeInstanceOf(DeviceLostError)
        goneOnFrom.push(step)
      },
    })
    expect(result).toMatchObject({ step: options.steps, reason: 'finished' })
    expect(model.device).toBe(devices.at(-1))
    expect(Number.isFinite(result.valLoss)).toBe(true)
    return { losses: Array.from(losses), goneOnFrom }
  }

  it('goes on from the last checkpoint, or from the beginning, with the same numbers', async () => {
    const expected = await run([], directory)
    expect(expected.losses).toHaveLength(options.steps)
    const broken = join(directory, 'broken')
    const found = await run([2, 4, 5], broken)
    expect(found.goneOnFrom).toEqual([0, 3, 3])
    expect(found.losses).toEqual(expected.losses)
  })

  it('begins again without checkpoints, and gives up when it gets nowhere', async () => {
    const { goneOnFrom } = await run([2, 5], undefined)
    expect(goneOnFrom).toEqual([0, 0])
    await expect(run([3, 1, 1, 1], undefined)).rejects.toThrow(DeviceLostError)
  })
})
