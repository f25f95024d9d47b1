import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkpoint } from '../autodiff/checkpoint.ts'
import { grad } from '../autodiff/tape.ts'
import { cpu } from '../backends/cpu/cpu.ts'
import type { CpuEngine } from '../backends/cpu/engine.ts'
import { touches, type Work } from '../backends/cpu/work.ts'
import { gpu } from '../backends/gpu/gpu.ts'
import type { Device } from '../device.ts'
import { BackendError } from '../errors.ts'
import { mul } from '../kernels/binary/binary.ts'
import { tensorWasm } from '../kernels/cpu-module.ts'
import { matmul } from '../kernels/matmul/matmul.ts'
import { sum } from '../kernels/reduce/reduce.ts'
import { normal } from '../kernels/testing.ts'
import { square } from '../kernels/unary/unary.ts'
import { type Profile, profile } from './profile.ts'

let device: Device
beforeAll(async () => {
  device = await cpu({ threads: 2, simd: 'relaxed' })
})
afterAll(() => device.close())

function engineOf({ engine }: Device): CpuEngine {
  if (engine.backend !== 'cpu') throw new Error('not the cpu engine')
  return engine
}

const input = (shape: readonly number[], seed: number) =>
  device.tensor(
    normal(
      shape.reduce((a, b) => a * b),
      seed,
    ),
    shape,
  )

const namesOf = ({ launches }: Profile) => launches.map(({ kernel }) => kernel)

describe('profile', () => {
  it('tells every launch: name, build, work from the shapes, in order and without overlap', async () => {
    using _scope = device.scope()
    const [a, b] = [input([2, 101, 67], 1), input([67, 103], 2)]
    const { value, profile: found } = await profile(device, () => sum(mul(matmul(a, b), device.scalar(3))))
    expect(value.shape).toEqual([])
    expect(found.device).toBe(device.info)
    const [product, scaled, ...rest] = found.launches
    expect(rest.length).toBeGreaterThan(0)
    // A batch against one shared matrix is one tall product.
    expect(product).toMatchObject({
      kernel: 'matmul',
      build: 'relaxed-simd',
      work: {
        flops: 2 * 202 * 103 * 67,
        bytes: 4 * (202 * 67 + 67 * 103 + 202 * 103),
        shape: 'nn 202 x 103 x 67',
      },
    })
    // Two operands, one of them a single number, and the result.
    expect(scaled).toMatchObject({ kernel: 'mul', work: { bytes: 4 * (2 * 202 * 103 + 1) } })
    expect(scaled.work.flops).toBeUndefined()
    let end = 0
    for (const { startMs, ms, tiles, work } of found.launches) {
      expect(startMs).toBeGreaterThanOrEqual(end)
      expect(ms).toBeGreaterThanOrEqual(0)
      expect(tiles).toBeGreaterThanOrEqual(1)
      expect(work.bytes).toBeGreaterThanOrEqual(4)
      end = startMs + ms
    }
    expect(end).toBeLessThanOrEqual(found.ms)
  })

  it('counts the matrices of a batch, shared ones once, and what is added to twice', async () => {
    using _scope = device.scope()
    const works: [() => unknown, Work][] = [
      [
        () => matmul(input([3, 41, 43], 1), input([3, 47, 43], 2), 'nt'),
        {
          flops: 2 * 3 * 41 * 47 * 43,
          bytes: 4 * 3 * (41 * 43 + 43 * 47 + 41 * 47),
          shape: 'nt 3 of 41 x 47 x 43',
        },
      ],
      [
        () => matmul(input([43, 41], 1), input([3, 43, 47], 2), 'tn'),
        {
          flops: 2 * 3 * 41 * 47 * 43,
          bytes: 4 * (41 * 43 + 3 * (43 * 47 + 41 * 47)),
          shape: 'tn 3 of 41 x 47 x 43',
        },
      ],
    ]
    for (const [run, work] of works) {
      const { launches } = (await profile(device, run)).profile
      expect(launches.map((launch) => launch.work)).toEqual([work])
    }
  })

  it('changes no bit', async () => {
    using _scope = device.scope()
    const [x, w] = [input([53, 37], 3), input([37, 61], 4)]
    const run = () => grad(() => sum(square(matmul(x, w))), [x, w])
    const plain = run()
    const { value: profiled } = await profile(device, run)
    expect(await profiled.value.data()).toEqual(await plain.value.data())
    for (const i of [0, 1]) expect(await profiled.grads[i].data()).toEqual(await plain.grads[i].data())
  })

  it('is off outside: nobody is told, and work is not asked for', async () => {
    using _scope = device.scope()
    const engine = engineOf(device)
    const x = device.empty([7])
    const fill = engine.kernel(tensorWasm, 'fill')
    let asked = 0
    const work = () => {
      asked++
      return touches(7)()
    }
    const launch = () => fill([x.handle, 1], 7, 7, work)
    launch()
    expect(asked).toBe(0)
    const { launches } = (await profile(device, launch)).profile
    expect([asked, launches.length]).toEqual([1, 1])
    launch()
    expect([asked, launches.length]).toEqual([1, 1])
    await expect(
      profile(device, () => {
        throw new Error('from within')
      }),
    ).rejects.toThrow('from within')
    expect([device.profiler, engine.observer]).toEqual([undefined, undefined])
    expect(device.span('anything', () => 5)).toBe(5)
  })

  it('leaves out launches that have nothing to do', async () => {
    using _scope = device.scope()
    const empty = device.empty([0, 3])
    expect(namesOf((await profile(device, () => square(empty))).profile)).toEqual([])
  })

  it('puts launches into phases: forward and backward of grad, spans of your own around them', async () => {
    using _scope = device.scope()
    const x = input([11], 5)
    const { profile: found } = await profile(device, () => {
      grad(() => sum(checkpoint((y) => square(square(y)), [x])), [x])
      device.span('outer', () => device.span('inner', () => square(x)))
      square(x)
    })
    expect(found.spans.map(({ name, depth }) => `${depth} ${name}`)).toEqual([
      '0 forward',
      '1 forward again',
      '0 backward',
      '1 inner',
      '0 outer',
    ])
    const phases = (phase: string | undefined) =>
      found.launches.filter((launch) => launch.phase === phase).map(({ kernel }) => kernel)
    expect(phases('forward').slice(0, 2)).toEqual(['square', 'square'])
    expect(phases('backward').filter((name) => name.startsWith('square'))).toEqual([
      ...['square', 'square', 'squareGrad', 'squareGrad'],
    ])
    expect([phases('outer'), phases(undefined)]).toEqual([['square'], ['square']])
    for (const { startMs, ms } of found.spans) expect(startMs + ms).toBeLessThanOrEqual(found.ms)
  })

  it('closes a span whose function throws', async () => {
    const { profile: found } = await profile(device, () => {
      expect(() =>
        device.span('broken', () => {
          throw new Error('from within')
        }),
      ).toThrow('from within')
      device.span('next', () => {})
    })
    expect(found.spans.map(({ name, depth }) => [name, depth])).toEqual([
      ['broken', 0],
      ['next', 0],
    ])
  })

  it('is taken one at a time, and on the cpu backend only', async () => {
    await profile(device, () =>
      expect(profile(device, () => {})).rejects.toThrow('a device must take one profile at a time'),
    )
    const other = await gpu({ mode: 'cpu' })
    await expect(profile(other, () => {})).rejects.toThrow(BackendError)
    await expect(profile(other, () => {})).rejects.toThrow(
      'profile: the device must be of the cpu backend, got gpu; use cpu(), because only there kernels are done when their launch returns',
    )
    await other.close()
  })
})
