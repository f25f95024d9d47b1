import type { DoneLaunch } from '../backends/cpu/engine.ts'
import type { Device, DeviceInfo } from '../device.ts'
import { BackendError } from '../errors.ts'

/** A named part of the program: {@link Device.span}. */
export interface Span {
  readonly name: string
  /** From the beginning of the profile. */
  readonly startMs: number
  readonly ms: number
  /** Number of spans around it. */
  readonly depth: number
}

/** One launch of a kernel. No two launches overlap. */
export interface ProfiledLaunch extends DoneLaunch {
  /** From the beginning of the profile. */
  readonly startMs: number
  /** The outermost span around it; undefined outside all. */
  readonly phase: string | undefined
}

/** Where the time of a program went. The time outside of launches is JavaScript: the tape, bookkeeping,
 *  data. */
export interface Profile {
  readonly device: DeviceInfo
  /** Wall time of the whole profile. */
  readonly ms: number
  /** In the order in which they ran. */
  readonly launches: readonly ProfiledLaunch[]
  /** In the order in which they ended. */
  readonly spans: readonly Span[]
}

/** Collects the launches and spans of one profile. */
export class Profiler {
  readonly launches: ProfiledLaunch[] = []
  readonly spans: Span[] = []
  readonly #startMs = performance.now()
  readonly #open: string[] = []

  launched(launch: DoneLaunch): void {
    this.launches.push({ ...launch, startMs: launch.startMs - this.#startMs, phase: this.#open[0] })
  }

  span<T>(name: string, f: () => T): T {
    const startMs = this.elapsedMs()
    const depth = this.#open.push(name) - 1
    try {
      return f()
    } finally {
      this.#open.pop()
      this.spans.push({ name, startMs, ms: this.elapsedMs() - startMs, depth })
    }
  }

  elapsedMs(): number {
    return performance.now() - this.#startMs
  }
}

/** Runs `f` and times every kernel that the device launches meanwhile. It does not change what they compute.
 *  Throws BackendError if the device is not of the cpu backend, because there a launch returns before its
 *  kernel is done. */
export async function profile<T>(
  device: Device,
  f: () => T | Promise<T>,
): Promise<{ value: T; profile: Profile }> {
  const { engine, info } = device
  if (engine.backend !== 'cpu')
    throw new BackendError(
      `profile: the device must be of the cpu backend, got ${engine.backend}; use cpu(), because only there kernels are done when their launch returns`,
    )
  if (device.profiler)
    throw new Error('profile: a device must take one profile at a time, got a second; wait for the first')
  const profiler = new Profiler()
  device.profiler = profiler
  engine.observer = (launch) => profiler.launched(launch)
  try {
    const value = await f()
    const { launches, spans } = profiler
    return { value, profile: { device: info, ms: profiler.elapsedMs(), launches, spans } }
  } finally {
    engine.observer = undefined
    device.profiler = undefined
  }
}
