import type { Profile, ProfiledLaunch, Span } from './profile.ts'

/** An event of the Trace Event Format. `X` has a beginning and a length in microseconds; `M` names the
 *  process or a thread. */
export type TraceEvent =
  | { ph: 'M'; name: string; pid: number; tid: number; args: { name: string } }
  | {
      ph: 'X'
      name: string
      cat: 'span' | 'kernel'
      pid: number
      tid: number
      ts: number
      dur: number
      args?: Readonly<Record<string, string | number>>
    }

/** The content of a trace file. */
export interface Trace {
  readonly traceEvents: readonly TraceEvent[]
  readonly displayTimeUnit: 'ms'
  /** Facts about the program; viewers show them unchanged. */
  readonly metadata: Readonly<Record<string, unknown>>
}

const TRACK = { pid: 1, tid: 1 } as const

/** The profile as JSON for ui.perfetto.dev or the performance panel of a browser. It shows the spans, and the
 *  kernels inside them, on the track of the thread that launches. Other threads are not shown; they take
 *  tiles of the running kernel.
 *  Source: Google, Trace Event Format (the JSON object form). */
export function traceOf(
  { device, launches, spans }: Profile,
  metadata: Readonly<Record<string, unknown>> = {},
): Trace {
  const name = (what: 'process_name' | 'thread_name', text: string): TraceEvent => ({
    ph: 'M',
    name: what,
    ...TRACK,
    args: { name: text },
  })
  const slices = [...spans.map(spanEvent), ...launches.map(kernelEvent)]
  slices.sort((a, b) => a.ts - b.ts || b.dur - a.dur) // outer events come first
  return {
    traceEvents: [
      name('process_name', 'tau'),
      name('thread_name', `${device.variant}, ${device.threads} threads`),
      ...slices,
    ],
    displayTimeUnit: 'ms',
    metadata: { device, ...metadata },
  }
}

const spanEvent = (span: Span) => ({
  ph: 'X' as const,
  name: span.name,
  cat: 'span' as const,
  ...TRACK,
  ...placeOf(span),
})

const kernelEvent = ({ kernel, build, startMs, ms, tiles, work }: ProfiledLaunch) => ({
  ph: 'X' as const,
  name: kernel,
  cat: 'kernel' as const,
  ...TRACK,
  ...placeOf({ startMs, ms }),
  args: {
    ...(work.shape !== undefined && { shape: work.shape }),
    build,
    tiles,
    ...(work.flops !== undefined && { flops: work.flops, GFLOPS: perNanosecond(work.flops, ms) }),
    bytes: work.bytes,
    'GB/s': perNanosecond(work.bytes, ms),
  },
})

/** Both ends in whole nanoseconds. Viewers round, and they leave out an event that overlaps another by one
 *  nanosecond. */
function placeOf({ startMs, ms }: { readonly startMs: number; readonly ms: number }) {
  const start = Math.round(startMs * 1e6)
  const end = Math.round((startMs + ms) * 1e6)
  return { ts: start / 1000, dur: (end - start) / 1000 }
}

/** Amount per nanosecond; 0 if the time was too short to be measured, because JSON has no infinity. */
const perNanosecond = (amount: number, ms: number): number =>
  ms > 0 ? Number((amount / (ms * 1e6)).toPrecision(4)) : 0
