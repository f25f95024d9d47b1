import { execFileSync } from 'node:child_process'
import { gpuModes } from '@tau/testing'
import { describe, expect, it } from 'vitest'
import { BackendError, DeviceLostError } from '../../../errors.ts'
import { GpuEngine } from '../engine.ts'
import { gpu } from '../gpu.ts'
import { loadGpuJs } from '../gpu-js.ts'
import type { GpuKernel } from '../kernel.ts'
import { openWebGpu } from './open.ts'
import { WebGpuRuntime } from './runtime.ts'

const ADD_ONE: GpuKernel = { name: 'addOne', args: { x: 'buffer' }, body: 'return x[this.thread.x] + 1' }

describe.runIf(gpuModes.includes('webgpu'))('WebGPU that goes away', () => {
  const open = async () => {
    const module = await loadGpuJs()
    const context = await openWebGpu(module)
    const runtime = new WebGpuRuntime(new module.GPU({ mode: 'webgpu' }), context)
    const info = { backend: 'gpu', variant: 'webgpu', threads: 1, fallbacks: [] } as const
    return { engine: new GpuEngine(runtime, info), device: context.device }
  }

  it.each(['before the work', 'while a read waits'])('is a typed error: %s', async (when) => {
    const { engine, device } = await open()
    const x = engine.alloc(4)
    engine.write(x, [1])
    engine.kernel(ADD_ONE)([x], [1], x)
    if (when === 'before the work') device.destroy()
    const read = engine.read(x, 'f32', 1)
    if (when !== 'before the work') {
      await engine.buffers() // the queue has reached the read
      device.destroy()
    }
    await expect(read).rejects.toThrow(DeviceLostError)
    engine.kernel(ADD_ONE)([x], [1], x)
    await expect(engine.read(x, 'f32', 1)).rejects.toThrow(
      /^gpu: the device must stay available, got a lost device \(destroyed: .+\); open it again and continue from a checkpoint$/,
    )
    await engine.close()
    const again = await open()
    const y = again.engine.alloc(4)
    again.engine.write(y, [1])
    again.engine.kernel(ADD_ONE)([y], [1], y)
    expect([...(await again.engine.read(y, 'f32', 1))]).toEqual([2])
    await again.engine.close()
  })

  it('pools buffers: none is made by the second of two equal programs', async () => {
    const { engine } = await open()
    const program = async () => {
      const x = engine.alloc(4000)
      for (let i = 0; i < 10; i++) engine.kernel(ADD_ONE)([x], [1000], x)
      const values = await engine.read(x, 'f32', 1000)
      engine.free(x)
      expect(values[999]).toBe(10)
      return await engine.buffers()
    }
    const first = await program()
    for (let i = 0; i < 5; i++) expect(await program()).toEqual(first)
    expect(first).toMatchObject({ live: 0, liveBytes: 0 })
    await engine.close()
  })
})

describe('WebGPU that is not there', () => {
  it('says that there is no adapter, and what to do', () => {
    const program = `
      import { gpu } from '@tau/tensor'
      await gpu({ mode: 'webgpu' }).catch(({ name, message }) => console.log(name, message))`
    const output = execFileSync(
      process.execPath,
      ['--conditions=source', '--input-type=module', '-e', program],
      {
        cwd: new URL('../../../../../train/', import.meta.url),
        encoding: 'utf8',
        stdio: 'pipe',
        env: { ...process.env, VK_ICD_FILENAMES: '/none.json', VK_ADD_DRIVER_FILES: '' },
      },
    )
    expect(output).toMatch(/^BackendError gpu: WebGPU must have an adapter, got none; install a driver/)
  })

  it('is the same error where the API is there and gives no adapter', async () => {
    const { gpu: own } = navigator
    await Reflect.get(await loadGpuJs(), 'WebGPUContext').destroy() // else gpu.js gives the device that it has
    Object.defineProperty(navigator, 'gpu', {
      value: { requestAdapter: async () => null },
      configurable: true,
    })
    try {
      await expect(gpu({ mode: 'webgpu' })).rejects.toThrow(BackendError)
      await expect(gpu({ mode: 'webgpu' })).rejects.toThrow('WebGPU must have an adapter, got none')
      const device = await gpu()
      expect(device.info.variant).toBe('webasm')
      expect(device.info.fallbacks[0]).toMatch(/^not webgpu: WebGPU must have an adapter/)
      await device.close()
    } finally {
      Object.defineProperty(navigator, 'gpu', { value: own, configurable: true })
    }
  })
})
