import type { Device } from '@tau/tensor'
import type { KernelBench } from '@tau/testing'
import { collect } from '../harness/collect.ts'
import { inScopes, onDevices } from '../harness/devices.ts'
import { benchLine, deviceLabel, rate, timesText, timeText } from '../harness/lines.ts'
import { type Contestant, type Ratio, race, speedup, type Timing } from '../harness/race.ts'
import { type AttentionShape, openOnnxAttention } from '../peers/onnxruntime/open.ts'
import { joined, type Peer } from '../peers/peer.ts'
import type { GroupContext, RunGroup } from '../registry.ts'

type Bench = KernelBench<Device>

/** `attention/forward/T1024` of `attention/forward/T1024/fast`. */
const caseOf = ({ name }: Bench): string => name.slice(0, name.lastIndexOf('/'))
const kernelOf = ({ name }: Bench): string => name.slice(name.lastIndexOf('/') + 1)

const THREADED = 'attention/forward/T1024_H6/fast'
/** The same pass at eight times the length. Both run in one race, for the ratio of their times. */
const LONG = { name: 'attention/forward/T65536/fast', short: 'attention/forward/T8192/fast', rounds: 21 }
/** The length at which a baseline's rate is taken. It is so long that edges do not count. */
const RATED = 'attention/forward/T8192'
/** The name of ONNX Runtime in metrics. */
const ONNX = 'onnxruntime'

/** Checks benches and times them in one race. The peer, if there is one, comes last. A call that takes long
 *  gets fewer rounds. */
async function raceOf(
  entries: readonly { readonly bench: Bench; readonly device: Device }[],
  { atLeast = 5, peer }: { readonly atLeast?: number; readonly peer?: Peer } = {},
): Promise<Timing[]> {
  const contestants: Contestant[] = []
  for (const { bench, device } of entries) {
    const { run, check } = bench.prepare(device)
    await check()
    contestants.push({ label: deviceLabel(device), run })
  }
  if (peer) contestants.push(peer)
  const flops = Math.max(...entries.map(({ bench: { work } }) => ('flops' in work ? work.flops : 0)))
  return race(contestants, { rounds: Math.max(atLeast, flops > 3e9 ? 5 : flops > 5e8 ? 9 : 15) })
}

/** The shape of a case that ONNX Runtime computes too: the forward pass of dot-product attention. The name is
 *  that of attention.bench.ts in packages/attention. */
function peerShape(name: string, benches: readonly Bench[]): AttentionShape | undefined {
  const match = /\/forward\/T(\d+)(?:_H(\d+))?$/.exec(name)
  if (!match || !benches.some((bench) => kernelOf(bench) === 'dot')) return undefined
  return { heads: Number(match[2] ?? 1), length: Number(match[1]), dim: 64 }
}

/** The kernels of one case on one thread, and ONNX Runtime if it computes the same. */
async function runCase(
  name: string,
  benches: readonly Bench[],
  device: Device,
  context: GroupContext,
): Promise<void> {
  const shape = peerShape(name, benches)
  const peer =
    shape &&
    (await joined(
      context,
      { as: ONNX, leavesOut: `${name}/ratio_vs_${ONNX}` },
      openOnnxAttention(context, device, shape),
    ))
  try {
    const timings = await raceOf(
      benches.map((bench) => ({ bench, device })),
      { peer },
    )
    reportCase(name, benches, timings, context)
  } finally {
    await peer?.close()
  }
}

/** `timings` has an entry for each bench, and one more if a peer took part. */
function reportCase(
  name: string,
  benches: readonly Bench[],
  timings: readonly Timing[],
  { line, metric }: GroupContext,
): void {
  const timingOf = (kernel: string) => timings[benches.findIndex((bench) => kernelOf(bench) === kernel)]
  const peer = timings.at(benches.length)
  benches.forEach((bench, i) => {
    const [kernel, timing] = [kernelOf(bench), timings[i]]
    const gflops = rate(timing, bench.work)
    const compared: string[] = []
    const compare = (slow: Timing, as: string, metricName: string): Ratio => {
      const ratio = speedup(timing, slow)
      compared.push(`${timesText(ratio.value)} ${as}`)
      metric(`${name}/${metricName}`, ratio.value, ratio.spread)
      return ratio
    }
    metric(`${bench.name}_ms`, timing.ms, timing.spread)
    if (kernel === 'fast') {
      const [quadratic, dot] = [timingOf('quadratic'), timingOf('dot')]
      if (quadratic) compare(quadratic, 'quadratic', 'speedup_vs_quadratic')
      const ratios = [
        ...(dot ? [compare(dot, 'dot', 'speedup_vs_dot')] : []),
        ...(peer ? [compare(peer, ONNX, `ratio_vs_${ONNX}`)] : []),
      ]
      const [least] = ratios.toSorted((a, b) => a.value - b.value)
      if (peer) metric(`${name}/speedup_vs_best_dot`, least.value, least.spread)
    } else if (name === RATED) metric(`attention/${kernel}/gflops`, gflops.value, timing.spread)
    if (kernel === 'dot' && peer) compare(peer, ONNX, `dot_ratio_vs_${ONNX}`)
    line(benchLine(`${bench.name} ${bench.shape}`, timing, gflops, compared))
  })
  const dot = benches.find((bench) => kernelOf(bench) === 'dot')
  if (!peer || !dot) return
  const gflops = rate(peer, dot.work)
  metric(`${name}/${ONNX}_ms`, peer.ms, peer.spread)
  if (name === RATED) metric(`attention/${ONNX}/gflops`, gflops.value, peer.spread)
  line(benchLine(`${name}/${ONNX} ${dot.shape}`, peer, gflops))
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
    { atLeast: LONG.rounds },
  )
  const ratio = speedup(fast, slow)
  line(
    `attention forward T65536 over T8192 ${fast.label} | ${timeText(slow.ms)} | ${timesText(ratio.value)} ${timeText(fast.ms)}`,
  )
  metric('attention/forward/T65536_over_T8192', ratio.value, ratio.spread)
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
    benchLine(`${bench.name} ${bench.shape}`, two, rate(two, bench.work), [
      `${timesText(scaling.value)} 1 thread`,
    ]),
  )
  metric('attention/forward/2_threads_speedup', scaling.value, scaling.spread)
}

/** A group of packages/attention/src/attention.bench.ts: the benches whose names start with the group's name.
 *  GFLOPS count the triangle of pairs. Those of the algorithm `sorted` are therefore what a quadratic kernel
 *  would need to keep up. */
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
            name,
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
