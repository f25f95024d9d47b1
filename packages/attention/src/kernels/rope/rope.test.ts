import { cpu, gpu } from '@tau/tensor'
import {
  checkGradients,
  describeDevices,
  expectNear,
  expectOracle,
  itMatchesOracle,
  randomArray,
} from '@tau/testing'
import type { OracleArray } from '@tau/testing/oracle'
import { expect, it, vi } from 'vitest'
import { outAndGrads, tensorOf } from '../../testing/tensors.ts'
import { ropeReference } from './reference.ts'
import { rope } from './rope.ts'
import { RopeTable, ropeTables } from './rope-table.ts'

describeDevices('rope', { cpu, gpu }, (device) => {
  itMatchesOracle<
    { x: OracleArray; r: OracleArray; start: number; base: number },
    Record<'cos' | 'sin' | 'out' | 'grad_x', OracleArray>
  >('rope', async ({ inputs, expected, tolerance }) => {
    using _scope = device().scope()
    const { start, base } = inputs
    const x = tensorOf(device(), inputs.x)
    const { out, grads } = await outAndGrads({ x }, tensorOf(device(), inputs.r), () =>
      rope(x, { start, base }),
    )
    const [length, dim] = inputs.x.shape.slice(-2)
    expectOracle({ ...ropeTables(start, length, dim, base), out, grad_x: grads.x }, expected, tolerance)
  })

  it.for([
    [2, 3, 5, 14],
    [7, 2],
    [3, 11, 26],
    [1, 1, 2, 8],
  ])('is within 1e-6 of the f64 reference for %j', async (shape) => {
    using _scope = device().scope()
    const size = shape.reduce((product, n) => product * n, 1)
    const [length, dim] = shape.slice(-2)
    const values = Float32Array.from(randomArray(size, dim))
    const y = rope(device().tensor(values, shape), { start: 17, base: 500 })
    expect(y.shape).toEqual(shape)
    // Rounding of cos, sin, two products and a sum of numbers up to 3.5, each 2e-7.
    const expected = ropeReference(Float64Array.from(values), length, dim, 17, 500)
    expectNear(await y.data(), expected, { atol: 1e-6 })
  })

  it('has the gradient of the reference', async () => {
    const [heads, length, dim] = [3, 5, 6]
    await checkGradients({
      inputs: [randomArray(heads * length * dim, 5)],
      reference: (x) => ropeReference(x, length, dim, 2),
      gradients: async ([x], weights) => {
        using _scope = device().scope()
        const shape = [heads, length, dim]
        const tensor = device().tensor(x, shape)
        const { grads } = await outAndGrads({ tensor }, device().tensor(weights, shape), () =>
          rope(tensor, { start: 2 }),
        )
        return [grads.tensor]
      },
      tolerance: { atol: 1e-6 }, // as the forward pass
    })
  })

  it('continues where an earlier call stopped, and keeps norms', async () => {
    using _scope = device().scope()
    const values = Float32Array.from(randomArray(7 * 10, 3))
    const whole = await rope(device().tensor(values, [7, 10])).data()
    const rest = await rope(device().tensor(values.subarray(30), [4, 10]), { start: 3 }).data()
    expect(rest).toEqual(whole.subarray(30))
    const norm = (v: Float32Array) => v.reduce((sum, a) => sum + a * a, 0)
    expect(norm(whole)).toBeCloseTo(norm(values), 3)
  })

  it('takes the angles of a table, whatever it holds already, and leaves no other memory behind', async () => {
    using _scope = device().scope()
    const { memory } = device()
    const table = new RopeTable(device(), 6, 11, 300)
    const run = async (start: number, length: number) => {
      using _inner = device().scope()
      const shape = [2, length, 6]
      const x = device().tensor(randomArray(12 * length, 7), shape, 'f32')
      const results = [
        { start, base: 300 },
        { start, table },
      ].map((options) =>
        outAndGrads({ x }, device().tensor(randomArray(12 * length, 8), shape, 'f32'), () =>
          rope(x, options),
        ),
      )
      const [made, kept] = await Promise.all(results)
      expect(kept).toEqual(made)
    }
    // The table is empty, then holds a part. Then come calls within and beyond it, calls up to `longest`, and
    // longer ones.
    for (const [start, length] of [
      [3, 2],
      [0, 5],
      [0, 3],
      [2, 3],
      [4, 3],
      [7, 2],
      [0, 11],
      [10, 2],
      [0, 13],
      [0, 0],
    ] as const)
      await run(start, length)
    expect(device().memory.liveBytes - memory.liveBytes).toBe(11 * 6 * 4)
    table.dispose()
    expect(device().memory).toEqual(memory)
  })

  it('uploads the angles of one token after another O(log T) times, up to `longest`', () => {
    using _scope = device().scope()
    using table = new RopeTable(device(), 4, 83)
    const prompt = device().tensor(randomArray(20, 12), [5, 4], 'f32')
    const token = device().tensor(randomArray(4, 13), [1, 4], 'f32')
    using write = vi.spyOn(device().engine, 'write')
    const sizes = () => write.mock.calls.map(([, values]) => values.length / 4)
    rope(prompt, { table })
    for (let start = 5; start < 83; start++) rope(token, { start, table })
    expect(sizes()).toEqual([8, 16, 32, 64, 83])
    rope(token, { start: 83, table })
    expect(sizes().slice(5)).toEqual([1])
  })

  it('leaves only its result behind if no scope is open', () => {
    const { memory } = device()
    const x = device().tensor(randomArray(12, 14), [3, 4], 'f32')
    const table = new RopeTable(device(), 4, 5)
    for (const options of [{ table }, { table, start: 1 }, { table, start: 3 }, {}, { start: 2 }])
      rope(x, options).dispose()
    expect(device().memory.liveBuffers - memory.liveBuffers).toBe(2) // x and the table
    table.dispose()
    x.dispose()
    expect(device().memory).toEqual(memory)
  })

  it('refuses a table that was disposed', () => {
    using _scope = device().scope()
    const x = device().tensor(randomArray(12, 15), [3, 4], 'f32')
    const table = new RopeTable(device(), 4, 5)
    rope(x, { table })
    table.dispose()
    for (const start of [0, 3])
      expect(() => rope(x, { start, table })).toThrow('RopeTable: must not be used after dispose')
  })

  it('keeps a table that is replaced before its gradient is taken', async () => {
    using _scope = device().scope()
    using table = new RopeTable(device(), 4, 5)
    const x = device().tensor(randomArray(12, 9), [3, 4], 'f32')
    const y = device().tensor(randomArray(20, 10), [5, 4], 'f32')
    const of = (options: (length: number) => object) =>
      outAndGrads({ x }, device().tensor(randomArray(12, 11), [3, 4], 'f32'), () => {
        const turned = rope(x, options(3))
        rope(y, options(5))
        return turned
      })
    expect(await of(() => ({ table }))).toEqual(await of(() => ({})))
  })

  it('refuses bad inputs and quotes the values', () => {
    using _scope = device().scope()
    const x = device().tensor(new Float32Array(15), [5, 3])
    expect(() => rope(x)).toThrow('rope: the last axis must be even and not empty, got [5, 3]')
    const even = device().tensor(new Float32Array(10), [5, 2])
    expect(() => rope(even, { start: -1 })).toThrow(
      'rope: start must be a whole number of at least 0, got -1',
    )
    expect(() => rope(even, { base: 1 })).toThrow('rope: base must be above 1 and finite, got 1')
    expect(() => rope(device().tensor([1, 2]))).toThrow('rope: x must have at least 2 axes, got [2]')
    using table = new RopeTable(device(), 4, 5)
    expect(() => rope(even, { table })).toThrow(
      'rope: table must be for vectors of 2 elements, got one for 4',
    )
    expect(() => rope(even, { table, base: 9 })).toThrow(
      "rope: base must equal the table's base 10000, got 9",
    )
    for (const longest of [0, 2.5, Number.NaN])
      expect(() => new RopeTable(device(), 4, longest)).toThrow(
        `RopeTable: longest must be a whole number of at least 1, got ${longest}`,
      )
  })
})
