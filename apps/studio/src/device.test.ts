import { GPU_WORTH_FLOPS, isSoftwareAdapter } from '@tau/tensor'
import { describe, expect, it } from 'vitest'
import { openDevice } from './device.ts'

const { TAU_ADAPTER: adapter = '' } = process.env
const hasGpu = adapter !== '' && !isSoftwareAdapter(adapter)

describe('openDevice', () => {
  it.skipIf(hasGpu)('takes WebAssembly where there is no GPU, and says why', async () => {
    const device = await openDevice('auto', GPU_WORTH_FLOPS)
    // Node has no WebGL. If it has a WebGPU adapter here, it is a software one.
    expect(device.info).toMatchObject({
      backend: 'cpu',
      fallbacks: [expect.stringMatching(/^no GPU: .*not webgpu: .*not webgl2: /)],
    })
    await device.close()
  })

  it('throws for a backend that is not there', async () => {
    await expect(openDevice('webgl2', 0)).rejects.toThrow('mode webgl2 needs a browser with WebGL 2')
  })
})
