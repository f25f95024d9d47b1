import type { Device } from '@tau/tensor'
import type { KernelBench } from '@tau/testing'
import { collect } from './collect.ts'
import { inScopes, onDevices } from './devices.ts'
import { type Contestant, race, speedup, type Timing } from './harness.ts'
import { benchSquare, SQUARE } from './matmul-square.ts'
import { MemoryCopy } from './memory-copy.ts'
import type { GroupContext } from './registry.ts'
import { benchLine, deviceLabel, rate, timesText } from './report.ts'

type Bench = KernelBench<Device>

/** One kernel, and its rival if it has one, on one thread and on two, against `memory.copy` where memory is the limit. */
async function benchKernel(
  bench: Bench,
  rival: Bench | undefined,
  devices: readonly Device[],
  context: GroupContext,
): Promise<void> {
  const raced = rival ? [bench, rival] : [bench]
  await inScopes(devices, async () => {
    const contestants: Contestant[] = []
    for (const { prepare } of raced)
      for (const device of devices) {
        const { run, check } = prepare(device)
        await check()
        contestants.push({ label: deviceLabel(device), run })
      }
    const bytes = 'bytes' in bench.work ? bench.work.bytes : undefined
    if (bytes !== undefined) contestants.push({ label: 'memory.copy', run: new MemoryCopy().mover(bytes) })
    const timings = await race(contestants)
    const copy = bytes === undefined ? undefined : timings[timings.length - 1]
    const [ours, theirs] = [timings.slice(0, devices.length), timings.slice(devices.length)]
    const peers: Peer[] = []
    if (copy) peers.push({ timing: copy, title: 'memory.copy', metric: 'ratio_vs_memory_copy' })
    if (bench.rival && rival)
      peers.push({ timing: theirs[0], title: bench.rival.as, metric: `ratio_vs_${bench.rival.as}` })
    report(bench, ours, peers, context)
    if (rival) report(rival, theirs, [], context)
  })
}

/** What one thread is compared with. */
interface Peer {
  readonly timing: Timing
  readonly title: string
  readonly metric: string
}

function report(
  { name, shape, work }: Bench,
  [one, two]: readonly Timing[],
  peers: readonly Peer[],
  { line, metric }: GroupContext,
) {
  const title = `${name} ${shape}`
  const scaling = speedup(two, one)
  const compared = peers.map((peer) => `${timesText(speedup(one, peer.timing))} ${peer.title}`)
  line(benchLine(title, one, rate(one, work), compared))
  line(benchLine(title, two, rate(two, work), [`${timesText(scaling)} 1 thread`]))
  metric(`${name}/${rate(one, work).metric}`, rate(one, work).value)
  metric(`${name}/2_threads_scaling`, scaling)
  for (const peer of peers) metric(`${name}/${peer.metric}`, speedup(one, peer.timing))
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
