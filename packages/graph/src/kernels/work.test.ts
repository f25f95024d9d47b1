import { cpu, type Device, profile } from '@tau/tensor'
import type { Work } from '@tau/tensor/kernel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kneighbors } from '../neighbors/kneighbors.ts'
import { radiusNeighbors } from '../neighbors/radius-neighbors.ts'
import { csrFromDense, nnz } from '../sparse/csr.ts'
import { DeviceCsr } from '../sparse/device-csr.ts'
import { normalMatrix } from '../testing.ts'
import { cpuEngine } from './cpu-engine.ts'
import { PANEL } from './panel-space.ts'

import { WasmPanels } from './wasm-panels.ts'

let device: Device
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())

/** The work of the launches of `f` that have this name. */
async function worksOf(name: string, f: () => unknown): Promise<Work[]> {
  const { launches } = (await profile(device, f)).profile
  return launches.filter(({ kernel }) => kernel === name).map(({ work }) => work)
}

const sparse = (rows: number, cols: number) => {
  const x = normalMatrix(1, rows, cols)
  return csrFromDense({ ...x, data: x.data.map((value) => Math.max(0, value)) })
}

describe('work of products and panels', () => {
  it('counts stored entries, and each row of a block once', async () => {
    const [rows, cols, width] = [17, 13, 5]
    const m = sparse(rows, cols)
    using resident = new DeviceCsr(m, device)
    const count = nnz(m)
    const matrixBytes = 12 * count + 4 * (rows + 1)
    expect(await worksOf('csrStep', () => resident.spmm(normalMatrix(2, cols, width)))).toEqual([
      {
        flops: 2 * count * width,
        bytes: matrixBytes + 8 * width * (rows + cols),
        shape: `17 x 13, ${count} entries, times 5`,
      },
    ])
  })

  it('counts every panel that is read or written, and one that is both factors once', async () => {
    const n = 131
    const m = sparse(n, n)
    using panels = new WasmPanels(cpuEngine('test', device), m)
    const [x, y] = [panels.take(), panels.take()]
    const bytes = (count: number) => 8 * count * n * PANEL
    const flops = 2 * n * PANEL ** 2
    const partials = 8 * 2 * PANEL ** 2 // 131 rows are two chunks
    expect(await worksOf('panelGram', () => panels.gram(x, y))).toEqual([
      { flops, bytes: bytes(2) + partials },
    ])
    expect(await worksOf('panelGram', () => panels.gram(x, x))).toEqual([
      { flops, bytes: bytes(1) + partials },
    ])
    const g = new Float64Array(PANEL ** 2)
    expect(await worksOf('panelAdd', () => panels.add(y, x, g))).toEqual([
      { flops, bytes: bytes(3) + g.byteLength },
    ])
    const [step] = await worksOf('csrStep', () => panels.step(x, y, 1, 0, 1))
    expect(step.bytes).toBe(12 * nnz(m) + 4 * (n + 1) + bytes(3)) // out is read as well
  })
})

describe('work of searches', () => {
  const [rows, dim, k] = [19, 11, 3]
  const points = normalMatrix(3, rows, dim)
  const kept = k + 8

  it('counts scores, limits and the sums that are taken again', async () => {
    const search = () => kneighbors(points, { k, device })
    expect(await worksOf('emptyLists', search)).toEqual([{ bytes: 4 * rows * (2 * kept + 1) }])
    expect(await worksOf('nearestRows', search)).toEqual([{ bytes: 4 * (rows * rows + 3 * rows) }])
    expect(await worksOf('nearestColumns', search)).toEqual([]) // one block serves its rows only
    const sums = rows * kept
    expect(await worksOf('refineRows', search)).toEqual([
      { flops: 3 * sums * dim, bytes: 8 * (2 * rows * dim + sums) },
    ])
  })

  it('counts what is found within a radius', async () => {
    const search = () => radiusNeighbors(points, { radius: 1e3, metric: 'euclidean', device })
    expect(await worksOf('withinRows', search)).toEqual([{ bytes: 4 * (rows * rows + 4 * rows) }])
    const sums = rows * (rows - 1)
    expect(await worksOf('refineRows', search)).toEqual([
      { flops: 3 * sums * dim, bytes: 8 * (2 * rows * dim + sums) },
    ])
  })
})
