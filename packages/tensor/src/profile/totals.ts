import type { Profile, ProfiledLaunch } from './profile.ts'

/** Time and work of some launches. */
export interface Total {
  readonly calls: number
  readonly ms: number
  /** Floating-point operations; 0 for kernels that memory limits, because they do not count them. */
  readonly flops: number
  readonly bytes: number
}

export interface KernelTotal extends Total {
  readonly kernel: string
  readonly build: string
  /** Milliseconds by phase. */
  readonly phases: ReadonlyMap<string, number>
  /** The same by shape, most time first; empty if the kernel does not report shapes. */
  readonly shapes: readonly (Total & { readonly shape: string })[]
}

/** All outermost spans of one name. */
export interface PhaseTotal {
  readonly name: string
  /** Wall time, kernels included. */
  readonly ms: number
  readonly kernelMs: number
}

export interface ProfileTotals {
  /** Most time first. */
  readonly kernels: readonly KernelTotal[]
  /** In the order in which they began. */
  readonly phases: readonly PhaseTotal[]
  /** Time of all kernels. The rest of the profile is JavaScript. */
  readonly kernelMs: number
}

/** The time of each kernel, shape and phase. */
export function profileTotals(profile: Profile): ProfileTotals {
  const { launches } = profile
  const kernels = groups(launches, ({ kernel, build }) => `${kernel} ${build}`).map(
    ([, own]): KernelTotal => ({
      kernel: own[0].kernel,
      build: own[0].build,
      ...totalOf(own),
      phases: new Map(groups(own, ({ phase }) => phase).map(([phase, some]) => [phase, totalOf(some).ms])),
      shapes: byTime(
        groups(own, ({ work }) => work.shape).map(([shape, some]) => ({ shape, ...totalOf(some) })),
      ),
    }),
  )
  return { kernels: byTime(kernels), phases: phasesOf(profile), kernelMs: totalOf(launches).ms }
}

function phasesOf({ spans, launches }: Profile): PhaseTotal[] {
  const outermost = spans.filter(({ depth }) => depth === 0).map(({ name, ms }) => ({ name, ms }))
  return groups(outermost, ({ name }) => name).map(([name, own]) => ({
    name,
    ms: own.reduce((sum, { ms }) => sum + ms, 0),
    kernelMs: totalOf(launches.filter(({ phase }) => phase === name)).ms,
  }))
}

const totalOf = (launches: readonly ProfiledLaunch[]): Total => ({
  calls: launches.length,
  ms: launches.reduce((sum, { ms }) => sum + ms, 0),
  flops: launches.reduce((sum, { work }) => sum + (work.flops ?? 0), 0),
  bytes: launches.reduce((sum, { work }) => sum + work.bytes, 0),
})

/** Items by key, in the order of first occurrence. Items without a key are left out. */
function groups<T>(items: readonly T[], keyOf: (item: T) => string | undefined): [string, T[]][] {
  const found = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    if (key === undefined) continue
    const group = found.get(key)
    if (group) group.push(item)
    else found.set(key, [item])
  }
  return Array.from(found)
}

const byTime = <T extends Total>(totals: readonly T[]): T[] => Array.from(totals).sort((a, b) => b.ms - a.ms)
