import { describe, expect, it } from 'vitest'
import type { Profile, ProfiledLaunch } from './profile.ts'
import { profileTotals } from './totals.ts'
import { traceOf } from './trace.ts'

const launch = (
  kernel: string,
  startMs: number,
  ms: number,
  phase: string | undefined,
  work: ProfiledLaunch['work'],
  build = 'simd',
): ProfiledLaunch => ({ kernel, build, startMs, ms, phase, tiles: 2, work })

const tall = { flops: 4e6, bytes: 1000, shape: 'nn tall' }
const wide = { flops: 6e6, bytes: 3000, shape: 'nn wide' }

/** 20 ms: 13 in kernels, 18 in phases. */
const example: Profile = {
  device: { backend: 'cpu', variant: 'simd', threads: 2, fallbacks: [] },
  ms: 20,
  launches: [
    launch('matmul', 1, 2, 'forward', tall),
    launch('exp', 4, 1, 'forward', { bytes: 500 }),
    launch('matmul', 6, 3, 'backward', wide),
    launch('matmul', 9, 2, 'backward', tall),
    launch('matmul', 12, 4, 'forward', tall, 'openblas'),
    launch('exp', 19, 1, undefined, { bytes: 700 }),
  ],
  spans: [
    { name: 'forward', startMs: 0, ms: 5, depth: 0 },
    { name: 'again', startMs: 6, ms: 1, depth: 1 },
    { name: 'backward', startMs: 5, ms: 6, depth: 0 },
    { name: 'forward', startMs: 11, ms: 7, depth: 0 },
  ],
}

describe('profileTotals', () => {
  const totals = profileTotals(example)

  it('adds up launches by kernel and what did it, most time first', () => {
    expect(totals.kernels.map(({ phases: _, shapes: __, ...total }) => total)).toEqual([
      { kernel: 'matmul', build: 'simd', calls: 3, ms: 7, flops: 14e6, bytes: 5000 },
      { kernel: 'matmul', build: 'openblas', calls: 1, ms: 4, flops: 4e6, bytes: 1000 },
      { kernel: 'exp', build: 'simd', calls: 2, ms: 2, flops: 0, bytes: 1200 },
    ])
    expect(totals.kernelMs).toBe(13)
  })

  it('splits a kernel by phase and by shape', () => {
    const [matmul, , exp] = totals.kernels
    expect(Array.from(matmul.phases)).toEqual([
      ['forward', 2],
      ['backward', 5],
    ])
    expect(Array.from(exp.phases)).toEqual([['forward', 1]])
    expect(matmul.shapes).toEqual([
      { shape: 'nn tall', calls: 2, ms: 4, flops: 8e6, bytes: 2000 },
      { shape: 'nn wide', calls: 1, ms: 3, flops: 6e6, bytes: 3000 },
    ])
    expect(exp.shapes).toEqual([])
  })

  it('adds up the outermost spans of a name, with their kernels', () => {
    expect(totals.phases).toEqual([
      { name: 'forward', ms: 12, kernelMs: 7 },
      { name: 'backward', ms: 6, kernelMs: 5 },
    ])
  })

  it('is empty for an empty profile', () => {
    const empty = { ...example, launches: [], spans: [] }
    expect(profileTotals(empty)).toEqual({ kernels: [], phases: [], kernelMs: 0 })
  })
})

describe('traceOf', () => {
  const trace = traceOf(example, { model: 'tiny' })
  const slices = trace.traceEvents.filter((event) => event.ph === 'X')

  it('names process and thread, and keeps what is known of the program', () => {
    expect(trace.traceEvents.slice(0, 2)).toEqual([
      { ph: 'M', name: 'process_name', pid: 1, tid: 1, args: { name: 'tau' } },
      { ph: 'M', name: 'thread_name', pid: 1, tid: 1, args: { name: 'simd, 2 threads' } },
    ])
    expect(trace.metadata).toEqual({ device: example.device, model: 'tiny' })
    expect(JSON.parse(JSON.stringify(trace))).toEqual(trace)
  })

  it('has a complete event in microseconds for each span and launch', () => {
    expect(slices).toHaveLength(example.spans.length + example.launches.length)
    expect(slices[1]).toEqual({
      ph: 'X',
      name: 'matmul',
      cat: 'kernel',
      pid: 1,
      tid: 1,
      ts: 1000,
      dur: 2000,
      args: {
        shape: 'nn tall',
        build: 'simd',
        tiles: 2,
        flops: 4e6,
        GFLOPS: 2, // 4e6 operations in 2 ms
        bytes: 1000,
        'GB/s': 0.0005,
      },
    })
    expect(slices[0]).toEqual({ ph: 'X', name: 'forward', cat: 'span', pid: 1, tid: 1, ts: 0, dur: 5000 })
  })

  it('nests slices: each lies in the one around it, which comes first', () => {
    const open: number[] = []
    for (const { ts, dur } of slices) {
      while (open.length > 0 && open[open.length - 1] <= ts) open.pop()
      if (open.length > 0) expect(ts + dur).toBeLessThanOrEqual(open[open.length - 1])
      open.push(ts + dur)
    }
  })

  it('has slices that still touch and do not overlap in whole nanoseconds', () => {
    const starts = Array.from({ length: 60 }, (_, i) => i / 7)
    const launches = starts.map((start) => launch('exp', start, 1 / 7, undefined, { bytes: 4 }))
    const nanoseconds = traceOf({ ...example, launches, spans: [] })
      .traceEvents.filter((event) => event.ph === 'X')
      .map(({ ts, dur }) => [Math.round(ts * 1000), Math.round(dur * 1000)])
    for (const [i, [start]] of nanoseconds.slice(1).entries())
      expect(nanoseconds[i][0] + nanoseconds[i][1]).toBe(start)
  })

  it('has no infinite rate', () => {
    const { traceEvents } = traceOf({ ...example, launches: [launch('exp', 0, 0, undefined, tall)] })
    expect(traceEvents.find(({ name }) => name === 'exp')?.args).toMatchObject({ GFLOPS: 0, 'GB/s': 0 })
  })
})
