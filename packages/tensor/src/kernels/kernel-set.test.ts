import { describe, expect, it } from 'vitest'
import { cpu } from '../backends/cpu/cpu.ts'
import { wasmModule } from '../backends/cpu/wasm-module.ts'
import { touches } from '../backends/cpu/work.ts'
import { gpu } from '../backends/gpu/gpu.ts'
import type { Device } from '../device.ts'
import { kernelSet } from './kernel-set.ts'

interface Table {
  name(): string
}

/** A package's kernels, and the backends whose factories were loaded. */
function packageOfKernels(name: string) {
  const loaded: string[] = []
  const factory = (backend: string) => async () => {
    loaded.push(backend)
    return (): Table => ({ name: () => backend })
  }
  return { loaded, kernelsOf: kernelSet<Table>(name, { cpu: factory('cpu'), gpu: factory('gpu') }) }
}

const refusal = (name: string, backend: string) =>
  `${name}: its ${backend} kernels must be loaded before an operation runs, got a device that was opened before ${name} was imported; import it first, or call await device.loadKernels()`

describe('kernelSet', () => {
  it('loads what a device runs when it is opened, once, and nothing of the other backend', async () => {
    const { loaded, kernelsOf } = packageOfKernels('first')
    const devices: Device[] = [await cpu({ threads: 1 }), await cpu({ threads: 1 })]
    expect(loaded).toEqual(['cpu'])
    expect(devices.map((device) => kernelsOf(device).name())).toEqual(['cpu', 'cpu'])
    expect(kernelsOf(devices[0])).toBe(kernelsOf(devices[0]))
    expect(kernelsOf(devices[0])).not.toBe(kernelsOf(devices[1]))
    devices.push(await gpu({ mode: 'cpu' }))
    expect(loaded).toEqual(['cpu', 'gpu'])
    expect(kernelsOf(devices[2]).name()).toBe('gpu')
    for (const device of devices) await device.close()
  })

  it('says what to do on a device that was opened before, and works once that is done', async () => {
    const device = await cpu({ threads: 1 })
    const { kernelsOf } = packageOfKernels('late')
    expect(() => kernelsOf(device)).toThrow(refusal('late', 'cpu'))
    await device.loadKernels()
    expect(kernelsOf(device).name()).toBe('cpu')
    await device.close()
  })

  it('may register more while it loads', async () => {
    let inner: ((device: Device) => Table) | undefined
    const outer = kernelSet<Table>('outer', {
      cpu: async () => {
        inner ??= packageOfKernels('inner').kernelsOf
        return () => ({ name: () => 'outer' })
      },
      gpu: async () => () => ({ name: () => 'outer' }),
    })
    const device = await cpu({ threads: 1 })
    expect(outer(device).name()).toBe('outer')
    expect(inner?.(device).name()).toBe('cpu')
    await device.close()
  })

  it('that does not load fails the opening, and is tried again at the next', async () => {
    let failures = 1
    kernelSet<Table>('broken', {
      cpu: async () => {
        if (failures-- > 0) throw new Error('no network')
        return () => ({ name: () => 'cpu' })
      },
      gpu: async () => () => ({ name: () => 'gpu' }),
    })
    await expect(cpu({ threads: 2 })).rejects.toThrow('no network')
    await (await cpu({ threads: 2 })).close()
  })
})

describe('wasmModule', () => {
  it('loads the build that the device runs, and says what to do when it was opened before', async () => {
    const loaded: string[] = []
    const build = (name: string) => async () => {
      loaded.push(name)
      return import(`../generated/${name}.ts`) as Promise<{ wasm: string }>
    }
    const before = await cpu({ threads: 1, simd: 'plain' })
    const module = wasmModule('wasm', { plain: build('plain'), relaxed: build('relaxed') })
    const { engine } = before
    if (engine.backend !== 'cpu') throw new Error('not the cpu engine')
    expect(() => engine.kernel(module, 'fill')).toThrow(refusal('wasm', 'cpu'))
    await before.loadKernels()
    expect(loaded).toEqual(['plain'])
    const handle = engine.alloc(12)
    engine.kernel(module, 'fill')([handle, 7], 3, 3, touches(3))
    expect([...engine.view(handle, 3)]).toEqual([7, 7, 7])
    await before.close()
    await (await cpu({ threads: 1, simd: 'relaxed' })).close()
    expect(loaded).toEqual(['plain', 'relaxed'])
  })
})
