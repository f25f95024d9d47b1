import { describe, expect, it } from 'vitest'
import { NODE, openPeer, PYTHON } from './peer.ts'

describe('openPeer', () => {
  it('times what another process runs', async () => {
    const peer = await openPeer(NODE, 'gpujs.ts', ['23', 'cpu'])
    if ('absent' in peer) throw new Error(peer.absent)
    try {
      expect(peer.label).toBe('gpu.js cpu 1 thread')
      for (const repeats of [1, 5]) expect(await peer.time(repeats)).toBeGreaterThan(0)
    } finally {
      await peer.close()
    }
  })

  it('says why a peer is absent: its program, or what it loads', async () => {
    expect(await openPeer(['/nowhere/python3'], 'openblas.py', ['23', '1'])).toEqual({
      absent: 'spawn /nowhere/python3 ENOENT',
    })
    expect(await openPeer(NODE, 'gpujs.ts', ['23', 'webgl9'])).toEqual({
      absent: 'gpu.js mode must be cpu or webasm, got webgl9',
    })
  })

  it('throws with the error of a peer that ends by itself', async () => {
    await expect(openPeer(NODE, 'nothing.ts', [])).rejects.toThrow(
      /nothing\.ts did: [\s\S]*Cannot find module/,
    )
  })

  it('agrees with OpenBLAS about a product, where there is one', async ({ skip }) => {
    const peer = await openPeer(PYTHON, 'openblas.py', ['23', '1'])
    if ('absent' in peer) return skip(peer.absent)
    expect(peer.label).toMatch(/^OpenBLAS [\d.]+ 1 thread$/)
    expect(await peer.time(3)).toBeGreaterThan(0)
    await peer.close()
  })
})
