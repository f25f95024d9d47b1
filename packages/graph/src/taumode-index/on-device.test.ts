import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpu, type Device, gpu } from '@tau/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { affinity } from '../adjacency/affinity.ts'
import { symmetrize } from '../adjacency/symmetrize.ts'
import { laplacian } from '../laplacian/laplacian.ts'
import { csrFromCoo } from '../sparse/csr.ts'
import { normalMatrix } from '../testing.ts'
import { TaumodeIndex } from './taumode-index.ts'
import { laplacianOf, rowOf } from './testing.ts'

/** The Laplacian of a path through all features. */
const pathOf = (dim: number) => {
  const steps = Array.from({ length: dim - 1 }, (_, n) => n)
  const one = csrFromCoo({
    nRows: dim,
    nCols: dim,
    row: steps,
    col: steps.map((n) => n + 1),
    value: steps.map(() => 1),
  })
  return laplacian(symmetrize(affinity(one, { sigma: 1 })))
}

const devices: Device[] = []
beforeAll(async () => {
  devices.push(await cpu({ threads: 1, simd: 'plain' }), await cpu({ threads: 2 }))
})
afterAll(async () => {
  for (const device of devices) await device.close()
})

const answers = (index: TaumodeIndex, query: ArrayLike<number>) => ({
  hits: index.search(query, index.size),
  order: index.byLambda(0, 1),
})

describe('an index on a device', () => {
  it.each([2, 3, 4, 5, 7, 8, 11, 13])('has the bits of one in JavaScript, D=%i', (dim) => {
    const L = pathOf(dim)
    const query = rowOf(normalMatrix(2, 1, dim), 0)
    for (const device of devices) {
      for (const rows of [1, 2, 37]) {
        const x = normalMatrix(1, rows, dim)
        for (const data of [x.data, Float32Array.from(x.data)]) {
          using here = new TaumodeIndex(L)
          using there = new TaumodeIndex(L, { device })
          for (const index of [here, there]) index.add({ ...x, data })
          expect(answers(there, query)).toEqual(answers(here, query))
        }
      }
    }
  })

  it('does so over several tiles, and while items come, go and become f64', async () => {
    const D = 61
    const L = await laplacianOf(D)
    const x = normalMatrix(3, 1301, D)
    const data = Float32Array.from(x.data)
    const query = rowOf(normalMatrix(4, 1, D), 0)
    for (const device of devices) {
      using here = new TaumodeIndex(L)
      using there = new TaumodeIndex(L, { device })
      const both = [here, there]
      const agree = () => expect(answers(there, query)).toEqual(answers(here, query))
      for (const index of both) index.add({ ...x, data })
      agree()
      for (const index of both) index.remove([0, 7, 1300])
      agree()
      for (const index of both) index.add(normalMatrix(5, 3, D))
      agree()
      expect(there.get(5)).toEqual(here.get(5))
    }
  })

  it('gives the memory back when it is disposed of, and is then empty', async () => {
    const D = 7
    const [device] = devices
    const index = new TaumodeIndex(await laplacianOf(D), { device })
    const x = normalMatrix(6, 40_009, D) // 2.2 MB, more than the memory before
    index.add(x)
    index[Symbol.dispose]()
    const { peakBytes } = device.engine
    expect(index.size).toBe(0)
    expect(index.has(3)).toBe(false)
    expect(index.byLambda(0, 1)).toEqual([])
    expect(() => index.search(rowOf(x, 0), 1)).toThrow('between 1 and 0, got 1; add items first')
    index.add(x)
    expect(device.engine.peakBytes).toBe(peakBytes)
    index[Symbol.dispose]()
  })

  it('is saved and loaded like any other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tau-index-'))
    const x = normalMatrix(7, 23, 7)
    using there = new TaumodeIndex(await laplacianOf(7), { device: devices[1] })
    there.add(x)
    await there.save(folder)
    using read = await TaumodeIndex.load(folder, { device: devices[0] })
    const here = await TaumodeIndex.load(folder)
    for (const index of [read, here]) expect(answers(index, rowOf(x, 3))).toEqual(answers(there, rowOf(x, 3)))
    await rm(folder, { recursive: true })
  })

  it('needs a cpu device', async () => {
    const device = await gpu({ mode: 'cpu' })
    const L = await laplacianOf(7)
    expect(() => new TaumodeIndex(L, { device })).toThrow(
      'TaumodeIndex: the device must be a cpu device (f64 kernels), got gpu',
    )
    await device.close()
  })
})
