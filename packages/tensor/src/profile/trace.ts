import type { Profile, ProfiledLaunch, Span } from './profile.ts'

/** An event of the Trace Event Format: `X` is complete, with a beginning and a length in microseconds, `M` names the process or a thread. */
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

/** A trace file, once it is JSON. */
export interface Trace {
  readonly traceEvents: readonly TraceEvent[]
  readonly displayTimeUnit: 'ms'
  /** What is known of the program: viewers show it as it is. */
  readonly metadata: Readonly<Record<string, unknown>>
}

const TRACK = { pid: 1, tid: 1 } as const

/** The profile as JSON for ui.perfetto.dev or the performance panel of a browser: spans with the kernels inside them on the track of the
 *  thread that launches. Other threads are not shown; they take tiles of the kernel that runs.
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
  slices.sort((a, b) => a.ts - b.ts || b.dur - a.dur) // what encloses comes first
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

/** Both ends in whole nanoseconds: viewers round, and leave out a slice that overlaps another by one. */
function placeOf({ startMs, ms }: { readonly startMs: number; readonly ms: number }) {
  const start = Math.round(startMs * 1e6)
  const end = Math.round((startMs + ms) * 1e6)
  return { ts: start / 1000, dur: (end - start) / 1000 }
}

/** 0 for what was too short to be timed: JSON has no infinity. */
const perNanosecond = (amount: number, ms: number): number =>
  ms > 0 ? Number((amount / (ms * 1e6)).toPrecision(4)) : 0
