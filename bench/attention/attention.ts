import type { Device } from '@tau/tensor'
import type { KernelBench } from '@tau/testing'
import { collect } from '../harness/collect.ts'
import { inScopes, onDevices } from '../harness/devices.ts'
import { benchLine, deviceLabel, rate, timesText, timeText } from '../harness/lines.ts'
import { type Contestant, race, speedup, type Timing } from '../harness/race.ts'
import type { GroupContext, RunGroup } from '../registry.ts'

type Bench = KernelBench<Device>

/** `attention/forward/T1024` of `attention/forward/T1024/fast`. */
const caseOf = ({ name }: Bench): string => name.slice(0, name.lastIndexOf('/'))
const kernelOf = ({ name }: Bench): string => name.slice(name.lastIndexOf('/') + 1)

const THREADED = 'attention/forward/T1024_H6/fast'
/** The same pass at eight times the length, raced for their ratio. */
const LONG = { name: 'attention/forward/T65536/fast', short: 'attention/forward/T8192/fast', rounds: 21 }
/** Where the rate of a baseline is taken: long enough that its edges do not count. */
const RATED = 'attention/forward/T8192'

/** Checks benches and times them in one race; fewer rounds where a call takes long. */
async function raceOf(
  entries: readonly { readonly bench: Bench; readonly device: Device }[],
  atLeast = 5,
): Promise<Timing[]> {
  const contestants: Contestant[] = []
  for (const { bench, device } of entries) {
    const { run, check } = bench.prepare(device)
    await check()
    contestants.push({ label: deviceLabel(device), run })
  }
  const flops = Math.max(...entries.map(({ bench: { work } }) => ('flops' in work ? work.flops : 0)))
  return race(contestants, { rounds: Math.max(atLeast, flops > 3e9 ? 5 : flops > 5e8 ? 9 : 15) })
}

/** The kernels of one case on one thread. */
async function runCase(
  benches: readonly Bench[],
  device: Device,
  { line, metric }: GroupContext,
): Promise<void> {
  const timings = await raceOf(benches.map((bench) => ({ bench, device })))
  const timingOf = (kernel: string) => timings[benches.findIndex((bench) => kernelOf(bench) === kernel)]
  benches.forEach((bench, i) => {
    const kernel = kernelOf(bench)
    const gflops = rate(timings[i], bench.work)
    const compared: string[] = []
    metric(`${bench.name}_ms`, timings[i].ms)
    if (kernel === 'fast')
      for (const rival of ['quadratic', 'dot']) {
        const slow = timingOf(rival)
        if (!slow) continue
        compared.push(`${timesText(speedup(timings[i], slow))} ${rival}`)
        metric(`${caseOf(bench)}/speedup_vs_${rival}`, speedup(timings[i], slow))
      }
    else if (caseOf(bench) === RATED) metric(`attention/${kernel}/gflops`, gflops.value)
    line(benchLine(`${bench.name} ${bench.shape}`, timings[i], gflops, compared))
  })
}

async function runLengths(
  benches: readonly Bench[],
  device: Device,
  { line, metric }: GroupContext,
): Promise<void> {
  const [long, short] = [LONG.name, LONG.short].map((name) => benches.find((bench) => bench.name === name))
  if (!long || !short) return
  const [slow, fast] = await raceOf(
    [long, short].map((bench) => ({ bench, device })),
    LONG.rounds,
  )
  const ratio = speedup(fast, slow)
  line(
    `attention forward T65536 over T8192 ${fast.label} | ${timeText(slow.ms)} | ${timesText(ratio)} ${timeText(fast.ms)}`,
  )
  metric('attention/forward/T65536_over_T8192', ratio)
}

async function runThreads(
  benches: readonly Bench[],
  devices: readonly Device[],
  { line, metric }: GroupContext,
): Promise<void> {
  const bench = benches.find(({ name }) => name === THREADED)
  if (!bench) return
  const [one, two] = await raceOf(devices.map((device) => ({ bench, device })))
  const scaling = speedup(two, one)
  line(
    benchLine(`${bench.name} ${bench.shape}`, two, rate(two, bench.work), [`${timesText(scaling)} 1 thread`]),
  )
  metric('attention/forward/2_threads_speedup', scaling)
}

/** A group of packages/attention/src/attention.bench.ts: those whose names start with the group's. GFLOPS are those of the triangle
 *  of pairs, so the fast kernel's are what a quadratic one would need to keep up. */
export const attentionGroup =
  (group: string): RunGroup =>
  async (context) => {
    const found = await collect<Bench>('packages/attention/src/*.bench.ts', context.filter)
    const benches = found.filter(({ name }) => name.startsWith(`${group}/`))
    if (benches.length === 0) return 0
    await onDevices([1, 2], context, async (devices) => {
      for (const name of new Set(benches.map(caseOf)))
        await inScopes(devices, () =>
          runCase(
            benches.filter((bench) => caseOf(bench) === name),
            devices[0],
            context,
          ),
        )
      await inScopes(devices, () => runLengths(benches, devices[0], context))
      await inScopes(devices, () => runThreads(benches, devices, context))
    })
    return benches.length
  }
