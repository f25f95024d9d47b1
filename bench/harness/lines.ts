import type { Device } from '@tau/tensor'
import type { Items, KernelBench } from '@tau/testing'
import type { Timing } from './race.ts'

/** A rate (work per second), with its name in the table and in the JSON. */
export interface Rate {
  readonly value: number
  readonly unit: string
  readonly metric: string
}

/** `cpu-relaxed 1 thread`: the build and the threads that a device runs. */
export function deviceLabel({ info }: Device): string {
  const build = info.variant === 'simd' ? 'plain' : info.variant.replace('-simd', '')
  return `${info.backend}-${build} ${info.threads} ${info.threads === 1 ? 'thread' : 'threads'}`
}

/** 10⁹ operations or bytes per second. */
export function rate({ ms }: Timing, work: KernelBench<Device>['work']): Rate {
  return 'flops' in work
    ? { value: work.flops / ms / 1e6, unit: 'GFLOPS', metric: 'gflops' }
    : { value: work.bytes / ms / 1e6, unit: 'GB/s', metric: 'gb_per_s' }
}

/** Items per second. */
export function itemRate({ ms }: Timing, { count, unit }: Items): Rate {
  return { value: (1000 * count) / ms, unit: `${unit}/s`, metric: `${unit}_per_s` }
}

export const timeText = (ms: number): string =>
  ms >= 0.1 ? `${significant(ms)} ms` : `${significant(ms * 1000)} us`

/** Three significant digits: 0.123, 45.6, 78901. */
export const significant = (value: number): string =>
  value >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)))

/** `1.97x`; the name of what it is compared with follows. */
export const timesText = (ratio: number): string => `${significant(ratio)}x`

/** ` ±2%` behind a figure; empty if the spread is not known. */
export const spreadText = (spread: number | undefined): string =>
  spread === undefined ? '' : ` ±${(100 * spread).toFixed(0)}%`

/** `75% of multiply-add`: a rate as a share of a yardstick's. */
export const shareText = (share: number, of: string): string => `${(100 * share).toFixed(0)}% of ${of}`

/** One line of the table: `matmul nn 768 cpu-relaxed 1 thread | p50 8.1 ms ±2% | 54.0 GFLOPS | …`. */
export function benchLine(
  title: string,
  timing: Timing,
  { value, unit }: Rate,
  compared: readonly string[] = [],
): string {
  const name = title.replaceAll('/', ' ')
  const p50 = `p50 ${timeText(timing.ms)}${spreadText(timing.spread)}`
  return [`${name} ${timing.label}`, p50, `${significant(value)} ${unit}`, ...compared].join(' | ')
}
