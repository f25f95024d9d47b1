import { describe, expect, it } from 'vitest'
import { BackendError } from '../errors.ts'
import { auto, GPU_WORTH_FLOPS } from './auto.ts'

describe('auto', () => {
  it('takes the cpu backend for little work, and says why', async () => {
    const device = await auto({ flops: 1e6, cpu: { threads: 1 }, strict: true })
    const { backend, reason, fallbacks } = device.info
    expect({ backend, reason, fallbacks }).toEqual({
      backend: 'cpu',
      reason: '0.0010 G operations between reads are done before a GPU has started',
      fallbacks: [],
    })
    await device.close()
  })

  // On a machine with a GPU the other answer is right too.
  it('takes a GPU for much work where there is one, never one in software, and says what it took', async () => {
    const device = await auto({ flops: GPU_WORTH_FLOPS, cpu: { threads: 1 } })
    const { backend, adapter, reason, fallbacks } = device.info
    expect(reason).toBe('3.0 G operations between reads are worth a GPU')
    if (backend === 'gpu') expect(adapter).not.toMatch(/swiftshader|llvmpipe/i)
    else expect(fallbacks[0]).toMatch(/^no GPU: /)
    await device.close()
    if (backend === 'cpu') await expect(auto({ flops: 1e12, strict: true })).rejects.toThrow(BackendError)
  })

  it('checks its input', async () => {
    await expect(auto({ flops: Number.NaN })).rejects.toThrow(
      'auto: flops must be a number of at least 0, got NaN',
    )
    await expect(Reflect.apply(auto, undefined, [])).rejects.toThrow(
      'auto: options must be an object, got undefined; write auto({ flops }) with the work between two reads',
    )
  })
})
