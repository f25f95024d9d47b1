import { isSoftwareAdapter } from '@tau/tensor'
import { describe, expect, it } from 'vitest'
import { openDevice } from './device.ts'

const { TAU_ADAPTER: adapter = '' } = process.env
const hasGpu = adapter !== '' && !isSoftwareAdapter(adapter)

describe('openDevice', () => {
  it.skipIf(hasGpu)('takes WebAssembly where there is no GPU, and says why', async () => {
    const device = await openDevice('auto')
    // Node has no WebGL; its adapter, if any, is one in software here.
    expect(device.info).toMatchObject({
      backend: 'cpu',
      reason: 'there is no GPU for this page',
      fallbacks: [expect.stringMatching(/^not webgpu: /), expect.stringMatching(/^not webgl2: /)],
    })
    await device.close()
  })

  it('throws for a backend that is not there', async () => {
    await expect(openDevice('webgl2')).rejects.toThrow('mode webgl2 needs a browser with WebGL 2')
  })
})
