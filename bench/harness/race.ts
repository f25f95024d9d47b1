import { performance } from 'node:perf_hooks'

/** One contestant of a race: a function in this process, or something that another process times by
 *  itself. */
export type Contestant = LocalContestant | RemoteContestant

export interface LocalContestant {
  readonly label: string
  run(): void | Promise<void>
}

export interface RemoteContestant {
  readonly label: string
  /** Milliseconds of one call: the mean of `repeats` calls. */
  time(repeats: number): Promise<number>
}

/** What was measured of one contestant. */
export interface Timing {
  readonly label: string
  /** Milliseconds of one call, per round. All contestants take turns in a round, so entries at the same index
   *  belong together. */
  readonly samples: readonly number[]
  /** Median of the samples. */
  readonly ms: number
  readonly spread: number | undefined
}

/** How many times faster one contestant is than another. */
export interface Ratio {
  readonly value: number
  readonly spread: number | undefined
}

export interface RaceOptions {
  readonly rounds?: number
  /** A sample repeats the call until it takes about this long, because a timer and a waking worker thread
   *  cost microseconds. */
  readonly sampleMs?: number
  /** Each contestant runs this long before it counts, so the optimizing compiler has compiled its code. */
  readonly warmUpMs?: number
}

/** The q-quantile of numbers in ascending order: the nearest of them. */
export const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.floor(q * (sorted.length - 1) + 0.5)]
export const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)

export const median = (values: readonly number[]): number => quantile(ascending(values), 0.5)

/** The 95th percentile. */
export const p95 = (values: readonly number[]): number => quantile(ascending(values), 0.95)

async function time(contestant: Contestant, repeats: number): Promise<number> {
  if ('time' in contestant) return contestant.time(repeats)
  const start = performance.now()
  for (let i = 0; i < repeats; i++) {
    const pending = contestant.run()
    if (pending) await pending
  }
  return (performance.now() - start) / repeats
}

async function warmUp(contestant: Contestant, warmUpMs: number): Promise<number> {
  const end = performance.now() + warmUpMs
  let last = await time(contestant, 1)
  while (performance.now() < end) last = await time(contestant, 1)
  return last
}

/** Half the distance of the quartiles, relative to the median. Undefined for a single sample. */
export function spreadOf(samples: readonly number[]): number | undefined {
  if (samples.length < 2) return undefined
  const sorted = ascending(samples)
  return (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 / quantile(sorted, 0.5)
}

/** Median and spread of samples in milliseconds. */
export const timingOf = (label: string, samples: readonly number[]): Timing => ({
  ...{ label, samples },
  ...{ ms: median(samples), spread: spreadOf(samples) },
})

/** Times contestants in one process, round by round, each round in another order. What disturbs the machine
 *  then disturbs all of them. */
export async function race(contestants: readonly Contestant[], options: RaceOptions = {}): Promise<Timing[]> {
  const { rounds = 15, sampleMs = 8, warmUpMs = 60 } = options
  const repeats: number[] = []
  for (const contestant of contestants) {
    const ms = await warmUp(contestant, warmUpMs)
    repeats.push(Math.max(1, Math.round(sampleMs / Math.max(ms, 1e-4))))
  }
  const samples = contestants.map((): number[] => [])
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < contestants.length; i++) {
      const turn = (i + round) % contestants.length
      samples[turn].push(await time(contestants[turn], repeats[turn]))
    }
  return contestants.map(({ label }, i) => timingOf(label, samples[i]))
}

/** Median and spread of a ratio that was taken in every round. */
export const ratioOf = (samples: readonly number[]): Ratio => ({
  value: median(samples),
  spread: spreadOf(samples),
})

/** How many times faster `fast` is than `slow`: median and spread of the rounds' ratios. Both must come from
 *  one race. */
export function speedup(fast: Timing, slow: Timing): Ratio {
  if (fast.samples.length !== slow.samples.length)
    throw new Error(
      `speedup: timings must come from one race, got ${fast.samples.length} and ${slow.samples.length} rounds`,
    )
  return ratioOf(slow.samples.map((ms, round) => ms / fast.samples[round]))
}
