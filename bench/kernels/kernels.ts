import type { Device } from '@tau/tensor'
import type { KernelBench } from '@tau/testing'
import { CEILING, ceilings, share } from '../harness/ceilings.ts'
import { collect } from '../harness/collect.ts'
import { inScopes, onDevices } from '../harness/devices.ts'
import { benchLine, deviceLabel, rate, shareText, timesText } from '../harness/lines.ts'
import { type Contestant, race, speedup, type Timing } from '../harness/race.ts'
import type { GroupContext } from '../registry.ts'
import { benchSquare, SQUARE } from './square-products.ts'

type Bench = KernelBench<Device>

/** Times one kernel, and its rival if it has one, on one thread and on two. The yardstick of what limits it
 *  runs on as many threads. */
async function benchKernel(
  bench: Bench,
  rival: Bench | undefined,
  devices: readonly Device[],
  context: GroupContext,
): Promise<void> {
  const yardstick = await yardstickOf(bench)
  const raced = [bench, ...(rival ? [rival] : []), yardstick.bench]
  await inScopes(devices, async () => {
    const contestants: Contestant[] = []
    for (const { prepare } of raced)
      for (const device of devices) {
        const { run, check } = prepare(device)
        await check()
        contestants.push({ label: deviceLabel(device), run })
      }
    const timings = await race(contestants)
    const entries = raced.map((entry, i) => ({
      bench: entry,
      timings: timings.slice(i * devices.length, (i + 1) * devices.length),
    }))
    const limit = entries[entries.length - 1]
    report(entries[0], { ...yardstick, ...limit }, rival && entries[1], context)
    if (rival) report(entries[1], { ...yardstick, ...limit }, undefined, context)
  })
}

/** What limits a kernel, its name in the table, and the metric of the share that the kernel reaches. */
interface Yardstick {
  readonly bench: Bench
  readonly label: string
  readonly metric: string
}

async function yardstickOf({ work, readsOnly }: Bench): Promise<Yardstick> {
  const { multiplyAdd, copy, read } = await ceilings()
  if ('flops' in work) return { bench: multiplyAdd, label: CEILING, metric: 'ratio_of_fma_ceiling' }
  if (readsOnly) return { bench: read(work.bytes), label: 'reads', metric: 'ratio_vs_memory_read' }
  return { bench: copy(work.bytes), label: 'memory.copy', metric: 'ratio_vs_memory_copy' }
}

interface Entry {
  readonly bench: Bench
  /** On one thread and on two. */
  readonly timings: readonly Timing[]
}

function report(
  { bench: { name, shape, work, boundBy, rival: named }, timings: [one, two] }: Entry,
  ceiling: Entry & Yardstick,
  rival: Entry | undefined,
  { line, metric }: GroupContext,
) {
  const title = `${name} ${shape}`
  const scaling = speedup(two, one)
  const ofCeiling = [one, two].map((timing, i) =>
    share({ timing, work }, { timing: ceiling.timings[i], work: ceiling.bench.work }),
  )
  const shares = ofCeiling.map(({ value }) => shareText(value, ceiling.label))
  const reason = boundBy ? [`bound by ${boundBy}`] : []
  const compared = [shares[0]]
  metric(`${name}/${rate(one, work).metric}`, rate(one, work).value, one.spread)
  metric(`${name}/2_threads_scaling`, scaling.value, scaling.spread)
  metric(`${name}/${ceiling.metric}`, ofCeiling[0].value, ofCeiling[0].spread)
  if (rival && named) {
    const ratio = speedup(one, rival.timings[0])
    compared.push(`${timesText(ratio.value)} ${named.as}`)
    metric(`${name}/ratio_vs_${named.as}`, ratio.value, ratio.spread)
  }
  line(benchLine(title, one, rate(one, work), [...compared, ...reason]))
  line(benchLine(title, two, rate(two, work), [shares[1], `${timesText(scaling.value)} 1 thread`]))
}

export async function runKernels(context: GroupContext): Promise<number> {
  const benches = await collect<Bench>('packages/*/src/kernels/*/*.bench.ts', context.filter)
  if (benches.length === 0) return 0
  const rivalOf = ({ rival }: Bench) => benches.find(({ name }) => name === rival?.name)
  const rivals = new Set(benches.map(rivalOf)) // timed with those that name them
  const squares = benches.filter(({ name }) => SQUARE.test(name))
  await onDevices([1, 2], context, async (devices) => {
    if (squares.length > 0) await benchSquare(squares, devices, context)
    for (const bench of benches)
      if (!squares.includes(bench) && !rivals.has(bench))
        await benchKernel(bench, rivalOf(bench), devices, context)
  })
  return benches.length
}
