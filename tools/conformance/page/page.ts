import type { ModelOptions } from '@tau/model'
import { cpu, type Device, type DeviceInfo, type GpuMode, gpu } from '@tau/tensor'
import { parseGroup } from '@tau/testing/oracle'
import { type GroupReport, runConformance } from '../conformance.ts'
import { kernelCases, largestError, runKernelCase } from '../kernel-cases.ts'
import { trainLosses } from '../train-losses.ts'

/** What runs in the page of a browser, as `window.tauPage`. Its results are plain data. */
const page = {
  async conformance(
    mode: GpuMode,
    files: readonly string[],
  ): Promise<{ device: DeviceInfo; reports: GroupReport[] }> {
    const groups = await Promise.all(
      files.map(async (file) => parseGroup(file, await (await fetch(`/fixtures/${file}`)).text())),
    )
    return onDevice(mode, async (device) => ({
      device: device.info,
      reports: await runConformance(new Map(groups.map((group) => [group.group, group])), device),
    }))
  },

  /** For each kernel case, the largest error against the cpu backend. For each kernel, whether a case ran
   *  it. */
  async kernels(
    mode: GpuMode,
  ): Promise<{ errors: Record<string, number>; runs: readonly (readonly [string, boolean])[] }> {
    const judge = await cpu({ threads: 1 })
    try {
      return await onDevice(mode, async (device) => {
        const errors: Record<string, number> = {}
        for (const name of Object.keys(kernelCases))
          errors[name] = largestError(await runKernelCase(name, device), await runKernelCase(name, judge))
        const { engine } = device
        return { errors, runs: engine.backend === 'gpu' ? Array.from(engine.kernelRuns) : [] }
      })
    } finally {
      await judge.close()
    }
  },

  train: (mode: GpuMode, steps: number, options: ModelOptions) =>
    onDevice(mode, (device) => trainLosses(device, steps, options)),

  /** The mode that opens and its fallbacks, or the error. */
  async open(mode?: GpuMode): Promise<string> {
    try {
      const device = await gpu(mode ? { mode } : {})
      const { variant, fallbacks } = device.info
      await device.close()
      return `${variant}: ${fallbacks.join('; ')}`
    } catch (error) {
      return String(error)
    }
  },
}

async function onDevice<T>(mode: GpuMode, f: (device: Device) => Promise<T>): Promise<T> {
  const device = await gpu({ mode, strict: true })
  try {
    return await f(device)
  } finally {
    await device.close()
  }
}

declare global {
  interface Window {
    tauPage: typeof page
  }
}

window.tauPage = page
