import { significant, timesText, timeText } from '../harness/lines.ts'
import type { Metrics } from '../records/record.ts'
import { caught, cellsOf, megabytes, type Table, tableOf } from './table.ts'

/** `1 234 567`, for counts. */
const whole = (value: number): string => value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ' ')

export function gpuTables(metrics: Metrics): Table[] {
  const cell = cellsOf(metrics, 'gpu/')
  const cases = caught(metrics, /^gpu\/(.+)\/tuned_over_portable$/).filter((name) => name !== 'step')
  const ways = caught(metrics, /^gpu\/step\/(\w+)_calls$/)
  const step = cellsOf(metrics, 'gpu/step/')
  const overhead = cellsOf(metrics, 'gpu/overhead/')
  return [
    tableOf('Kernels of gpu.js (portable) and by hand (tuned)', cases, [
      ['kernel', String],
      ['portable', cell('/portable_ms', timeText)],
      ['tuned', cell('/tuned_ms', timeText)],
      ['GFLOPS', cell('/tuned_gflops', significant)],
      ['tuned / portable speed', cell('/tuned_over_portable', timesText)],
    ]),
    tableOf(
      'λ-distance attention by hand, tiles of all pairs and merges',
      caught(metrics, /^gpu\/(.+)\/merges_over_tiles$/),
      [
        ['pass', String],
        ['tiles', cell('/tiles_ms', timeText)],
        ['merges', cell('/merges_ms', timeText)],
        ['merges / tiles speed', cell('/merges_over_tiles', timesText)],
      ],
    ),
    tableOf('A training step', ways, [
      ['kernels', String],
      ['time', step('_ms', timeText)],
      ['calls', step('_calls', whole)],
      ['tensors up', step('_uploaded_bytes', (bytes) => `${whole(bytes)} B`)],
      ['arguments up', step('_uniform_bytes', megabytes)],
      ['back', step('_read_bytes', (bytes) => `${whole(bytes)} B`)],
      ['overhead of a call', overhead('_us_per_call', (us) => `${significant(us)} µs`)],
    ]),
  ]
}
