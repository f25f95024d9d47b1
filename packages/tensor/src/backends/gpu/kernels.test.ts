import { expectNear, gpuModes, randomArray } from '@tau/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gpuKernels } from '../../generated/gpu.ts'
import type { KernelTable } from '../../generated/table.ts'
import { contiguousLoops } from '../../kernels/binary/broadcast.ts'
import { GpuEngine } from './engine.ts'
import { openRuntime } from './gpu.ts'

/** What the shared suites do not cover: sizes at which gpu.js changes its code path (chunks of folds, rows
 *  that are no multiple of its four SIMD lanes), and values that can go wrong without an error (NaN,
 *  infinities, indices held as floats). */
describe.each(gpuModes)('gpu kernels in mode %s', (mode) => {
  let engine: GpuEngine
  let kernels: KernelTable
  beforeAll(async () => {
    engine = new GpuEngine(await openRuntime(mode), {
      backend: 'gpu',
      variant: mode,
      threads: 1,
      fallbacks: [],
    })
    kernels = gpuKernels(engine)
  })
  afterAll(() => engine.close())

  const put = (values: ArrayLike<number>): number => {
    const handle = engine.alloc(4 * values.length)
    engine.write(handle, values)
    return handle
  }
  const make = (length: number): number => engine.alloc(4 * length)
  const get = (handle: number): Promise<Float32Array> => engine.read(handle, 'f32', engine.lengthOf(handle))
  const random = (length: number, seed: number): Float32Array => Float32Array.from(randomArray(length, seed))
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number

  const sizes: [number, number, number][] = [
    [1, 1, 1],
    [3, 5, 1],
    [7, 64, 1],
    [2, 65, 3],
    [1, 5003, 1],
    [2, 4099, 2],
  ]
  it.each(sizes)('sums and takes maxima of [%i, %i, %i]', async (outer, length, inner) => {
    const x = random(outer * length * inner, 1)
    const sum = new Float64Array(outer * inner)
    const max = new Float64Array(outer * inner).fill(-inf)
    for (let o = 0; o < outer; o++)
      for (let l = 0; l < length; l++)
        for (let i = 0; i < inner; i++) {
          const v = x[(o * length + l) * inner + i]
          sum[o * inner + i] += v
          max[o * inner + i] = Math.max(max[o * inner + i], v)
        }
    const out = make(outer * inner)
    kernels.reduce('sum', put(x), out, outer, length, inner)
    expectNear(await get(out), sum, { atol: 2e-5, rtol: 1e-6 })
    kernels.reduce('max', put(x), out, outer, length, inner)
    expectNear(await get(out), max, {})
  })

  it('keeps NaN and infinities in sums and maxima', async () => {
    const row = new Float32Array(131).fill(-1)
    const rows = [row.with(130, nan), row.with(0, nan), row.with(77, inf), row.with(5, -inf), row]
    const x = put(rows.flatMap((values) => [...values]))
    const out = make(5)
    kernels.reduce('max', x, out, 5, 131, 1)
    expect([...(await get(out))]).toEqual([nan, nan, inf, -1, -1])
    kernels.reduce('sum', x, out, 5, 131, 1)
    expect([...(await get(out))]).toEqual([nan, nan, inf, -inf, -131])
  })

  it('sums nothing to 0', async () => {
    const out = put([7, 7, 7])
    kernels.reduce('sum', make(0), out, 3, 0, 1)
    expect([...(await get(out))]).toEqual([0, 0, 0])
  })

  it.each(sizes)('runs sums both ways over [%i, %i, %i]', async (outer, length, inner) => {
    const x = random(outer * length * inner, 2)
    for (const reverse of [false, true]) {
      const expected = Float64Array.from(x)
      for (let o = 0; o < outer; o++)
        for (let step = 1; step < length; step++)
          for (let i = 0; i < inner; i++) {
            const l = reverse ? length - 1 - step : step
            const at = (o * length + l) * inner + i
            expected[at] += expected[reverse ? at + inner : at - inner]
          }
      const out = make(x.length)
      kernels.cumsum(put(x), out, outer, length, inner, reverse)
      expectNear(await get(out), expected, { atol: 5e-5, rtol: 1e-6 })
    }
  })

  it('softmax and its gradient hold for rows of 1 … 137 with large shifts', async () => {
    for (const cols of [1, 3, 64, 137]) {
      const rows = 5
      const x = random(rows * cols, 3).map((v, i) => v * 3 + [0, 1000, -1000, 5e4, 0][Math.floor(i / cols)])
      const d = random(rows * cols, 4)
      const y = new Float64Array(x.length)
      const dX = new Float64Array(x.length)
      for (let r = 0; r < rows; r++) {
        const row = Array.from(x.subarray(r * cols, (r + 1) * cols))
        const peak = Math.max(...row)
        const total = row.reduce((sum, v) => sum + Math.exp(v - peak), 0)
        for (let c = 0; c < cols; c++) y[r * cols + c] = Math.exp(row[c] - peak) / total
        let dot = 0
        for (let c = 0; c < cols; c++) dot += y[r * cols + c] * d[r * cols + c]
        for (let c = 0; c < cols; c++) dX[r * cols + c] = y[r * cols + c] * (d[r * cols + c] - dot)
      }
      const out = make(x.length)
      const grad = make(x.length)
      kernels.softmax(put(x), out, rows, cols)
      kernels.softmaxGrad(out, put(d), grad, rows, cols)
      expectNear(await get(out), y, { rtol: 2e-6, atol: 1e-9 })
      expectNear(await get(grad), dX, { atol: 2e-6 })
    }
  })

  it('cross-entropy skips negative targets and marks those out of range', async () => {
    const [rows, cols] = [5, 67]
    const logits = random(rows * cols, 7).map((v) => v * 4 + 2000)
    const lse = Array.from({ length: rows }, (_, r) => {
      const row = Array.from(logits.subarray(r * cols, (r + 1) * cols))
      const peak = Math.max(...row)
      return peak + Math.log(row.reduce((sum, v) => sum + Math.exp(v - peak), 0))
    })
    const run = async (targets: number[]) => {
      const [logSumExp, loss, dLogits] = [make(rows), make(2), make(rows * cols)]
      const t = put(Int32Array.from(targets))
      kernels.crossEntropy(put(logits), t, logSumExp, loss, rows, cols)
      kernels.crossEntropyGrad(put(logits), t, logSumExp, loss, put([3]), dLogits, rows, cols)
      return { lse: await get(logSumExp), loss: await get(loss), dLogits: await get(dLogits) }
    }
    const targets = [0, 66, -1, 30, -5]
    const found = await run(targets)
    expectNear(found.lse, lse, { rtol: 1e-6 })
    const losses = targets.flatMap((t, r) => (t < 0 ? [] : [lse[r] - logits[r * cols + t]]))
    expectNear(found.loss, [losses.reduce((a, b) => a + b) / 3, 3], { rtol: 1e-5 })
    const dLogits = Array.from(logits, (v, i) => {
      const r = Math.floor(i / cols)
      return targets[r] < 0 ? 0 : Math.exp(v - lse[r]) - (i % cols === targets[r] ? 1 : 0)
    })
    expectNear(found.dLogits, dLogits, { atol: 2e-4 }) // logSumExp near 2000 is rounded to 1.2e-4
    expect([...(await run([-1, -1, -1, -1, -1])).loss]).toEqual([0, 0])
    expect([...(await run([-1, -1, -1, -1, -1])).dLogits]).toEqual(Array(rows * cols).fill(0))
    expect([...(await run([0, 67, 1, 2, 3])).loss]).toEqual([nan, 5])
  })

  it('gathers rows, NaN for ids out of range, and scatters in order', async () => {
    const [tableRows, width] = [13, 5]
    const table = random(tableRows * width, 8)
    const ids = [3, 0, 12, 3, -1, 13, 7, 3, 2 ** 30, 12, 0]
    const out = make(ids.length * width)
    kernels.gather(put(table), put(Int32Array.from(ids)), out, ids.length, tableRows, width)
    const inside = (id: number) => id >= 0 && id < tableRows
    const expected = ids.flatMap((id) =>
      Array.from({ length: width }, (_, c) => (inside(id) ? table[id * width + c] : nan)),
    )
    expectNear(await get(out), expected, {})

    const rows = random(ids.length * width, 9)
    const target = put(table)
    kernels.scatterAdd(target, put(Int32Array.from(ids)), put(rows), ids.length, tableRows, width)
    const sums = Float64Array.from(table)
    ids.forEach((id, i) => {
      if (inside(id)) for (let c = 0; c < width; c++) sums[id * width + c] += rows[i * width + c]
    })
    expectNear(await get(target), sums, { atol: 1e-6 })
  })

  it('scatters many uses, more than default loops may run', async () => {
    const count = 3001
    const target = put([0, 0])
    kernels.scatterAdd(
      target,
      put(Int32Array.from({ length: count }, (_, i) => Number(i % 3 === 0))),
      put(new Float32Array(count).fill(1)),
      count,
      2,
      1,
    )
    expect([...(await get(target))]).toEqual([2000, 1001])
  })

  it('copies blocks and leaves the rest', async () => {
    const cases = [
      { source: [0, 5], target: [0, 5], rows: 3, cols: 5 },
      { source: [2, 7], target: [3, 5], rows: 3, cols: 4 }, // wraps around the end of the target's rows
      { source: [1, 3], target: [7, 11], rows: 2, cols: 3 },
      { source: [4, 1], target: [6, 1], rows: 1, cols: 9 },
      { source: [1, 0], target: [2, 4], rows: 4, cols: 3 }, // one source row for all
      { source: [9, 1], target: [28, 1], rows: 1, cols: 1 },
      { source: [0, 1], target: [0, 1], rows: 0, cols: 5 },
    ]
    for (const { source, target, rows, cols } of cases) {
      const from = random(31, 13)
      const to = random(29, 14)
      const handle = put(to)
      const block = (at: number[], h: number) => ({ handle: h, offset: at[0], stride: at[1] })
      kernels.copy(block(source, put(from)), block(target, handle), rows, cols)
      const expected = to.slice()
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < cols; c++)
          expected[target[0] + r * target[1] + c] = from[source[0] + r * source[1] + c]
      expectNear(await get(handle), expected, {})
    }
  })

  const hard = [
    0,
    -0,
    1,
    -1,
    1e-8,
    -1e-8,
    0.3,
    -0.7,
    5,
    -5,
    20,
    -20,
    90,
    -90,
    1e4,
    -1e4,
    3e38,
    -3e38,
    inf,
    -inf,
    nan,
  ]
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
  const unary: Record<string, [(x: number) => number, (x: number) => number]> = {
    neg: [(x) => -x, () => -1],
    exp: [Math.exp, Math.exp],
    log: [Math.log, (x) => 1 / x],
    sqrt: [Math.sqrt, (x) => 0.5 / Math.sqrt(x)],
    square: [(x) => x * x, (x) => 2 * x],
    abs: [Math.abs, (x) => Math.sign(x)],
    relu: [(x) => Math.max(x, 0), (x) => Number(x > 0)],
    sigmoid: [sigmoid, (x) => sigmoid(x) * sigmoid(-x)],
    silu: [(x) => x * sigmoid(x), (x) => sigmoid(x) * (1 + x * sigmoid(-x))],
    tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
    softplus: [(x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), sigmoid],
    reciprocal: [(x) => 1 / x, (x) => -1 / (x * x)],
  }
  it.each(Object.keys(unary) as (keyof typeof unary & Parameters<KernelTable['unary']>[0])[])(
    '%s and its gradient',
    async (op) => {
      const [f, slope] = unary[op]
      const x = Float32Array.from([...hard, ...random(113, 17)])
      const out = make(x.length)
      const dX = make(x.length)
      kernels.unary(op, put(x), out, x.length)
      expectNear(await get(out), Float32Array.from(x, f), { rtol: 2e-6, atol: 1e-37 })
      const finite = x.map((v) => (Math.abs(v) <= 90 ? v : 0.5))
      const d = random(x.length, 18)
      kernels.unary(op, put(finite), out, x.length)
      kernels.unaryGrad(op, put(finite), out, put(d), dX, x.length)
      expectNear(
        await get(dX),
        Float32Array.from(finite, (v, i) => Math.fround(slope(v)) * d[i]),
        { rtol: 5e-6, atol: 1e-6 },
      )
    },
  )

  it('elementwise kernels', async () => {
    const n = 211
    const x = Float32Array.from([...hard, ...random(n - hard.length, 19)])
    const d = random(n, 20)
    const out = make(n)
    const check = async (expected: (v: number, i: number) => number) =>
      expectNear(await get(out), Float32Array.from(x, expected), { rtol: 1e-6, atol: 1e-7 })
    kernels.fill(out, nan, n)
    await check(() => nan)
    kernels.fill(out, -inf, n)
    await check(() => -inf)
    kernels.clamp(put(x), out, -0.7, inf, n)
    await check((v) => Math.max(v, -0.7))
    kernels.clampGrad(put(x), put(d), out, -0.7, 0.3, n)
    await check((v, i) => (v >= Math.fround(-0.7) && v <= Math.fround(0.3) ? d[i] : 0))
    kernels.reluSquared(put(x), out, n)
    await check((v) => Math.max(v, 0) ** 2)
    kernels.reluSquaredGrad(put(x.map(Math.abs)), put(d), out, n)
    await check((v, i) => 2 * Math.sqrt(Math.abs(v)) * d[i])
    kernels.softcap(put(x), out, 15, n)
    await check((v) => 15 * Math.tanh(v / 15))
    kernels.softcapGrad(put(x), put(d), out, 15, n)
    await check((v, i) => d[i] * (1 - (v / 15) ** 2))
    const target = put(d)
    kernels.accumulate(target, put(x), -0.25, n)
    expectNear(
      await get(target),
      Float32Array.from(d, (v, i) => v - 0.25 * x[i]),
      { rtol: 1e-6, atol: 1e-7 },
    )
  })

  it('norms neither overflow nor vanish, and pass NaN and infinity on', async () => {
    const norm = async (...buffers: number[][]) => {
      const out = make(1)
      kernels.globalNorm(
        buffers.map((values) => ({ handle: put(values), length: values.length })),
        out,
      )
      return (await get(out))[0]
    }
    const long = random(5003, 21)
    expectNear([await norm([...long], [3], [])], [Math.hypot(...long, 3)], { rtol: 1e-6 })
    expectNear([await norm([3e30], [4e30])], [5e30], { rtol: 1e-6 })
    expectNear([await norm([3e-30, 0], [4e-30])], [5e-30], { rtol: 1e-6 })
    expect(await norm([0, 0], [0])).toBe(0)
    expect(await norm([])).toBe(0)
    expect(await norm([1, -inf], [2])).toBe(inf)
    expect(await norm([1, inf], [nan])).toBe(nan)
  })
})

/** Beyond 2²⁴ an f32 skips whole numbers. Mode cpu computes in f64 and cannot show it. */
describe.each(gpuModes.filter((mode) => mode !== 'cpu'))(
  'gpu kernels in mode %s, at indices above 2^24',
  (mode) => {
    const limit = 2 ** 24
    const digit = (i: number): number => (i % 1013) % 251
    let engine: GpuEngine
    let kernels: KernelTable
    beforeAll(async () => {
      engine = new GpuEngine(await openRuntime(mode), {
        backend: 'gpu',
        variant: mode,
        threads: 1,
        fallbacks: [],
      })
      kernels = gpuKernels(engine)
    })
    afterAll(() => engine.close())

    const digits = (length: number): number => {
      const values = new Float32Array(length)
      for (let i = 0; i < length; i++) values[i] = digit(i)
      const handle = engine.alloc(4 * length)
      engine.write(handle, values)
      return handle
    }
    const make = (length: number): number => engine.alloc(4 * length)
    /** Compares the last 3000 elements. Only exact indices reach them. */
    const expectTail = async (handle: number, expected: (i: number) => number) => {
      const length = engine.lengthOf(handle)
      const found = await engine.read(handle, 'f32', length)
      const start = length - 3000
      expectNear(
        found.subarray(start),
        Float32Array.from({ length: 3000 }, (_, i) => expected(start + i)),
        {},
      )
    }
    const release = (...handles: number[]) => {
      for (const handle of handles) engine.free(handle)
    }

    it('gathers from and scatters into the last row of a large table', async () => {
      const [tableRows, width] = [5, limit / 4 + 3]
      const table = digits(tableRows * width)
      const ids = make(1)
      engine.write(ids, Int32Array.of(4))
      const row = make(width)
      kernels.gather(table, ids, row, 1, tableRows, width)
      await expectTail(row, (i) => digit(4 * width + i))
      kernels.scatterAdd(table, ids, row, 1, tableRows, width)
      await expectTail(table, (i) => 2 * digit(i))
      release(table, ids, row)
    })

    it('elements, one loop and one long axis', async () => {
      const n = limit + 3037
      const [x, out] = [digits(n), make(n)]
      kernels.unary('neg', x, out, n)
      await expectTail(out, (i) => -digit(i))
      kernels.binary('sub', out, x, out, contiguousLoops(n, 2))
      await expectTail(out, (i) => -2 * digit(i))
      kernels.transpose(x, out, 1, n, 1, 1)
      await expectTail(out, digit)
      const block = { handle: x, offset: limit + 1, stride: 1 }
      kernels.copy(block, { handle: out, offset: limit + 2, stride: 1 }, 1, 2000)
      await expectTail(out, (i) => digit(i >= limit + 2 && i < limit + 2002 ? i - 1 : i))
      release(x, out)
    })

    it.each([
      [1, limit / 64 + 50, 2, 64],
      [1, 2, limit / 128 + 50, 64],
    ])('transposes [%i, %i, %i, %i]', async (outer, a, b, inner) => {
      const x = digits(outer * a * b * inner)
      const out = make(outer * a * b * inner)
      kernels.transpose(x, out, outer, a, b, inner)
      await expectTail(out, (at) => {
        const n = at % inner
        const i = Math.floor(at / inner) % a
        const j = Math.floor(at / (inner * a))
        return digit((i * b + j) * inner + n)
      })
      release(x, out)
    })

    it('multiplies, sums and finds the largest along a long axis', async () => {
      const k = limit + 5
      const x = make(k)
      kernels.fill(x, 0, k)
      const last = make(3)
      engine.write(last, [2, 3, 4])
      kernels.copy({ handle: last, offset: 0, stride: 3 }, { handle: x, offset: k - 3, stride: 3 }, 1, 3)
      const out = make(1)
      const item = async () => (await engine.read(out, 'f32', 1))[0]
      kernels.matmul('nt', x, x, out, { batch: 1, m: 1, n: 1, k, strideA: 0, strideB: 0 })
      expect(await item()).toBe(29)
      kernels.reduce('sum', x, out, 1, k, 1)
      expect(await item()).toBe(9)
      kernels.reduce('max', x, out, 1, k, 1)
      expect(await item()).toBe(4)
      release(x, last, out)
    })
  },
)
