import { cpu, type Device } from '@tau/tensor'
import { expectNear } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { multiply } from '../dense/multiply.ts'
import { type Csr, csrFromCoo, spmm, transposeCsr } from '../sparse/csr.ts'
import { normalMatrix } from '../testing.ts'
import { cpuEngine } from './cpu-engine.ts'
import { JsPanels } from './js-panels.ts'
import { PANEL, type Panel, type PanelSpace } from './panel-space.ts'
import { WasmPanels } from './wasm-panels.ts'

/** A matrix with about five entries per row and one empty row. */
const matrixOf = (size: number): Csr => {
  const { data } = normalMatrix(size, size, 5)
  const entries = Array.from(data, (value, n) => ({
    value,
    row: Math.floor(n / 5),
    col: (n * n + 7 * n) % size,
  }))
  const kept = entries.filter(({ row }) => row !== 2)
  return csrFromCoo({
    nRows: size,
    nCols: size,
    row: kept.map((e) => e.row),
    col: kept.map((e) => e.col),
    value: kept.map((e) => e.value),
  })
}

// sizes around the chunk of 128 rows and the tiles of 1024
const sizes = [1, 3, 127, 128, 131, 1031, 2053]
const names = ['js', 'plain 1 thread', 'relaxed 2 threads'] as const

describe.each(names)('panels in %s', (name) => {
  let device: Device | undefined
  beforeAll(async () => {
    if (name === 'plain 1 thread') device = await cpu({ threads: 1, simd: 'plain' })
    if (name === 'relaxed 2 threads') device = await cpu({ threads: 2, simd: 'relaxed' })
  })
  afterAll(() => device?.close())

  const open = (m: Csr): PanelSpace =>
    device ? new WasmPanels(cpuEngine('test', device), m) : new JsPanels(m)
  const filled = (space: PanelSpace, seed: number): Panel => {
    const panel = space.take()
    panel.data.set(normalMatrix(seed, space.size, PANEL).data)
    return panel
  }
  const dense = ({ data }: Panel) => ({ data: data.slice(), rows: data.length / PANEL, cols: PANEL })

  it.each(sizes)('take steps with the matrix, %i rows', (size) => {
    const m = matrixOf(size)
    using space = open(m)
    const [x, out] = [filled(space, 1), filled(space, 2)]
    const product = spmm(m, dense(x)).data
    const expected = product.map((value, n) => 2 * value - 3 * x.data[n] + 0.5 * out.data[n])
    space.step(x, out, 2, -3, 0.5)
    expectNear(out.data, expected, { atol: 1e-13 })
    // a term with factor 0 is not read
    out.data.fill(Number.NaN)
    space.step(x, out, 1, 0, 0)
    expect(out.data.slice()).toEqual(product)
  })

  it.each(sizes)('have products and sums, %i rows', (size) => {
    using space = open(matrixOf(size))
    const [x, y] = [filled(space, 3), filled(space, 4)]
    const g = normalMatrix(5, PANEL, PANEL)
    const xT = { data: new Float64Array(PANEL * size), rows: PANEL, cols: size }
    for (let n = 0; n < x.data.length; n++) xT.data[(n % PANEL) * size + Math.floor(n / PANEL)] = x.data[n]
    expectNear(space.gram(x, y), multiply(xT, dense(y)).data, { atol: 1e-14 * 8 * size }) // sums of `size` products of up to 8
    const expected = multiply(dense(x), g).data.map((value, n) => value + y.data[n])
    space.add(y, x, g.data)
    expectNear(y.data, expected, { atol: 1e-13 })
  })

  it('have the bits of JavaScript', () => {
    const m = matrixOf(2053)
    const run = (space: PanelSpace) => {
      const [x, y] = [filled(space, 6), filled(space, 7)]
      for (let n = 0; n < 3; n++) {
        space.step(x, y, 0.7, -0.3, 0.1)
        space.add(
          x,
          y,
          space.gram(x, y).map((value) => value / 1e5),
        )
      }
      return [x.data.slice(), y.data.slice()]
    }
    using space = open(m)
    using reference = new JsPanels(m)
    expect(run(space)).toEqual(run(reference))
  })

  it('give their memory back', () => {
    if (!device) return
    const engine = cpuEngine('test', device)
    for (let n = 0; n < 3; n++) {
      using space = open(transposeCsr(matrixOf(1031)))
      filled(space, 1)
    }
    const before = engine.peakBytes
    for (let n = 0; n < 20; n++) {
      using space = open(transposeCsr(matrixOf(1031)))
      filled(space, 1)
    }
    expect(engine.peakBytes).toBe(before)
  })
})
