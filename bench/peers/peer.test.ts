import { describe, expect, it } from 'vitest'
import { joined, openPeer } from './peer.ts'
import { NODE, PYTHON } from './program.ts'

describe('openPeer', () => {
  it('times what another process runs', async () => {
    const peer = await openPeer(NODE, 'gpujs.ts', ['23', 'cpu'])
    if ('absent' in peer) throw new Error(peer.absent)
    try {
      expect(peer.label).toMatch(/^gpu\.js \d+\.\d+\.\d+ cpu 1 thread$/)
      expect(peer.note).toEqual({ version: expect.stringMatching(/^gpu\.js [\d.]+$/), environment: {} })
      for (const repeats of [1, 5]) expect(await peer.time(repeats)).toBeGreaterThan(0)
    } finally {
      await peer.close()
    }
  })

  it('says why a peer is absent: its program, or what it loads', async () => {
    expect(await openPeer({ ...PYTHON, command: ['/nowhere/python3'] }, 'openblas.py', ['23', '1'])).toEqual({
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

describe('joined', () => {
  const noted: unknown[] = []
  const context = {
    peer: (...args: unknown[]) => void noted.push(['peer', ...args]),
    skip: (...args: unknown[]) => void noted.push(['skip', ...args]),
  }
  const names = { as: 'numpy', leavesOut: 'graph/x/ratio_vs_numpy' }

  it('notes the version of a peer that is there, and why another is not', async () => {
    const note = { version: 'numpy 1.2.3', environment: PYTHON.told }
    const peer = { label: 'numpy', note, time: async () => 1, close: async () => {} }
    expect(await joined(context, names, Promise.resolve(peer))).toBe(peer)
    expect(await joined(context, names, Promise.resolve({ absent: 'no numpy' }))).toBeUndefined()
    expect(noted).toEqual([
      ['peer', 'numpy', note],
      ['skip', 'graph/x/ratio_vs_numpy', 'no numpy'],
    ])
  })
})
