import { gpuModes } from '@tau/testing'
import { describe, expect, it, vi } from 'vitest'
import { loadGpuJs } from '../gpu-js.ts'
import { openWebGpu } from './open.ts'
import { impatiently } from './patiently.ts'
import { pipelineOf } from './pipeline.ts'

const code = (value: number) => `
@group(0) @binding(1) var<storage, read_write> out : array<f32>;
@compute @workgroup_size(1) fn main() { out[0] = ${value}.0; }`

describe.runIf(gpuModes.includes('webgpu'))('pipelineOf', () => {
  it('compiles a text once for all who use the device, and another text by itself', async () => {
    const { device } = await openWebGpu(await loadGpuJs())
    const compiling = vi.spyOn(device, 'createComputePipelineAsync')
    const [first, second] = await Promise.all([
      pipelineOf(device, impatiently, code(7919), ['storage']),
      pipelineOf(device, impatiently, code(7919), ['storage']),
    ])
    expect(second).toBe(first)
    expect(await pipelineOf(device, impatiently, code(7919), ['storage'])).toBe(first)
    expect(compiling).toHaveBeenCalledTimes(1)
    expect(await pipelineOf(device, impatiently, code(7907), ['storage'])).not.toBe(first)
    expect(compiling).toHaveBeenCalledTimes(2)
    compiling.mockRestore()
  })

  it('keeps nothing that did not compile', async () => {
    const { device } = await openWebGpu(await loadGpuJs())
    for (const _ of [1, 2])
      await expect(pipelineOf(device, impatiently, 'fn main() { return 1; }', [])).rejects.toThrow(
        /^its WGSL must compile/,
      )
  })
})
