import type { Device } from '@tau/tensor'
import type { StepBench } from '@tau/testing'
import { collect } from '../harness/collect.ts'
import { onDevices } from '../harness/devices.ts'
import { benchLine, deviceLabel, itemRate, rate, timesText } from '../harness/lines.ts'
import { race, speedup, type Timing } from '../harness/race.ts'
import type { GroupContext } from '../registry.ts'

type Bench = StepBench<Device>

interface Entry {
  readonly bench: Bench
  /** Milliseconds of a step, on one thread and on two. */
  readonly one: Timing
  readonly two: Timing
  readonly liveBytes: number
}

/** Optimizer steps of all models, on one thread and on two, in one race. */
export async function runTrain(context: GroupContext): Promise<number> {
  const benches = await collect<Bench>('packages/train/src/**/*.bench.ts', context.filter)
  if (benches.length === 0) return 0
  await onDevices([1, 2], context, async (devices) => {
    const contestants = []
    const liveBytes: number[] = []
    for (const { prepare } of benches)
      for (const device of devices) {
        const steps = prepare(device)
        await steps.check()
        liveBytes.push(steps.liveBytes())
        contestants.push({ label: deviceLabel(device), run: steps.run })
      }
    const timings = await race(contestants, { rounds: context.quick ? 1 : 7 })
    const entries = benches.map((bench, i) => ({
      bench,
      one: timings[2 * i],
      two: timings[2 * i + 1],
      liveBytes: liveBytes[2 * i],
    }))
    for (const entry of entries)
      report(
        entry,
        entries.find(({ bench }) => bench.name === entry.bench.rival?.name),
        context,
      )
  })
  return benches.length
}

function report(
  { bench, one, two, liveBytes }: Entry,
  rival: Entry | undefined,
  { line, metric }: GroupContext,
): void {
  const { name, shape, items, flops } = bench
  const scaling = speedup(two, one)
  const gflops = (timing: Timing) => `${rate(timing, { flops }).value.toFixed(1)} GFLOPS by 6·N·tokens`
  const memory = `${(liveBytes / 1e6).toFixed(0)} MB live after backward`
  const title = `${name} ${shape}`
  line(benchLine(title, one, itemRate(one, items), [gflops(one), memory]))
  line(benchLine(title, two, itemRate(two, items), [gflops(two), `${timesText(scaling.value)} 1 thread`]))
  metric(`${name}/ms_per_step`, one.ms, one.spread)
  metric(`${name}/${itemRate(one, items).metric}`, itemRate(one, items).value, one.spread)
  metric(`${name}/gflops`, rate(one, { flops }).value, one.spread)
  metric(`${name}/2_threads_scaling`, scaling.value, scaling.spread)
  metric(`${name}/live_bytes`, liveBytes)
  if (rival && bench.rival) {
    const ratio = speedup(one, rival.one)
    line(`${name.replaceAll('/', ' ')} against ${bench.rival.as}, 1 thread | ${timesText(ratio.value)}`)
    metric(`${name}/ratio_vs_${bench.rival.as}`, ratio.value, ratio.spread)
  }
}
