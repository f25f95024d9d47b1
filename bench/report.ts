import type { Device } from '@tau/tensor'
import type { KernelBench } from '@tau/testing'
import type { Timing } from './harness.ts'

type Work = KernelBench<Device>['work']

/** `cpu-relaxed 1 thread`: the build and the threads that a device runs. */
export function deviceLabel({ info }: Device): string {
  const build = info.variant === 'relaxed-simd' ? 'relaxed' : 'plain'
  return `${info.backend}-${build} ${info.threads} ${info.threads === 1 ? 'thread' : 'threads'}`
}

/** Work per second, in 10⁹ operations or bytes, with its name in the table and in the JSON. */
export function rate(timing: Timing, work: Work): { value: number; unit: string; metric: string } {
  return 'flops' in work
    ? { value: work.flops / timing.ms / 1e6, unit: 'GFLOPS', metric: 'gflops' }
    : { value: work.bytes / timing.ms / 1e6, unit: 'GB/s', metric: 'gb_per_s' }
}

const timeText = (ms: number): string =>
  ms >= 0.1 ? `${ms.toPrecision(3)} ms` : `${(ms * 1000).toPrecision(3)} us`

/** One line of the table: `matmul nn 768 cpu-relaxed 1 thread | p50 8.1 ms ±2% | 54.0 GFLOPS | …`. */
export function benchLine(
  title: string,
  timing: Timing,
  work: Work,
  compared: readonly string[] = [],
): string {
  const { value, unit } = rate(timing, work)
  const name = title.replaceAll('/', ' ')
  const p50 = `p50 ${timeText(timing.ms)} ±${(100 * timing.spread).toFixed(0)}%`
  return [`${name} ${timing.label}`, p50, `${value.toFixed(1)} ${unit}`, ...compared].join(' | ')
}
