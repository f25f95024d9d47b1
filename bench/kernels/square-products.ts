import type { Device } from '@tau/tensor'
import type { KernelBench } from '@tau/testing'
import { CEILING, ceilings, share } from '../harness/ceilings.ts'
import { inScopes } from '../harness/devices.ts'
import { benchLine, deviceLabel, rate, shareText, timesText } from '../harness/lines.ts'
import { type Contestant, type RaceOptions, race, speedup, type Timing } from '../harness/race.ts'
import { openOnnxProducts } from '../peers/onnxruntime/open.ts'
import { type Absent, joined, openPeer, type Peer } from '../peers/peer.ts'
import { NODE, PYTHON } from '../peers/program.ts'
import type { GroupContext } from '../registry.ts'

type Bench = KernelBench<Device>

const SIZE = 768
const NN = `matmul/nn/${SIZE}`
/** The square products of packages/tensor/src/kernels/matmul/matmul.bench.ts. */
export const SQUARE = /^matmul\/(nn|nt|tn)\/768$/

interface Rival {
  /** In names of metrics: `ratio_vs_<as>`. */
  readonly as: string
  open(context: GroupContext): Promise<Peer | Absent>
}

const args = [String(SIZE)]
const RIVALS: readonly Rival[] = [
  { as: 'tfjs_wasm', open: () => openPeer(NODE, 'tfjs.ts', args) },
  { as: 'jax_wasm', open: () => openPeer(NODE, 'jax.ts', args) },
  { as: 'openblas', open: () => openPeer(PYTHON, 'openblas.py', [...args, '1']) },
  { as: 'onnxruntime', open: (context) => openOnnxProducts(context, SIZE) },
]
/** Peers that take a second per product. They have a race of their own, with few rounds. */
const SLOW_RIVALS: readonly Rival[] = [
  { as: 'gpujs_webasm', open: () => openPeer(NODE, 'gpujs.ts', [...args, 'webasm']) },
  { as: 'gpujs_cpu', open: () => openPeer(NODE, 'gpujs.ts', [...args, 'cpu']) },
]

/** The three layouts at 768³ on one thread and on two, in one race with other libraries and the yardstick.
 *  One race, because the claims are about the ratios. */
export async function benchSquare(
  squares: readonly Bench[],
  devices: readonly Device[],
  context: GroupContext,
): Promise<void> {
  await inScopes(devices, async () => {
    const { multiplyAdd } = await ceilings()
    const benches = [...squares, multiplyAdd]
    const contestants: Contestant[] = []
    for (const device of devices)
      for (const bench of benches) {
        const { run, check } = bench.prepare(device)
        await check()
        contestants.push({ label: deviceLabel(device), run })
      }
    const options = { rounds: 21, sampleMs: 30, warmUpMs: 150 }
    const { timings, rivals } = await raceRivals(contestants, RIVALS, options, context)
    const [one, two] = [timings.slice(0, benches.length), timings.slice(benches.length)]
    report(squares, multiplyAdd, [one, two], rivals.get('tfjs_wasm'), context)
    const nn = squares.findIndex(({ name }) => name === NN)
    if (nn < 0) return // a filter left it out
    reportRivals(one[nn], rivals, squares[nn], context)
    const slow = await raceRivals([contestants[nn]], SLOW_RIVALS, { rounds: 3 }, context)
    reportRivals(slow.timings[0], slow.rivals, squares[nn], context)
  })
}

function reportRivals(
  ours: Timing,
  rivals: ReadonlyMap<string, Timing>,
  { name, work }: Bench,
  { line, metric }: GroupContext,
): void {
  for (const [as, timing] of rivals) {
    const theirs = rate(timing, work)
    const ratio = speedup(ours, timing)
    line(benchLine(name, timing, theirs, [`ours is ${timesText(ratio.value)} as fast`]))
    metric(`${name}/${as}_gflops`, theirs.value, timing.spread)
    metric(`${name}/ratio_vs_${as}`, ratio.value, ratio.spread)
  }
}

/** A race of the rivals that are installed; the others are noted as absent. */
async function raceRivals(
  contestants: readonly Contestant[],
  rivals: readonly Rival[],
  options: RaceOptions,
  context: GroupContext,
): Promise<{ timings: Timing[]; rivals: Map<string, Timing> }> {
  const open: Peer[] = []
  const names: string[] = []
  try {
    for (const rival of rivals) {
      const { as } = rival
      const peer = await joined(context, { as, leavesOut: `${NN}/${as}` }, rival.open(context))
      if (!peer) continue
      open.push(peer)
      names.push(as)
    }
    const timings = await race([...contestants, ...open], options)
    return {
      timings: timings.slice(0, contestants.length),
      rivals: new Map(names.map((as, i) => [as, timings[contestants.length + i]])),
    }
  } finally {
    for (const peer of open) await peer.close()
  }
}

/** Our products: each against one thread, or against its peer, and against the yardstick on as many
 *  threads. */
function report(
  squares: readonly Bench[],
  ceiling: KernelBench<Device>,
  [one, two]: readonly (readonly Timing[])[],
  tfjs: Timing | undefined,
  { line, metric }: GroupContext,
): void {
  const shareOf = ({ work }: Bench, timings: readonly Timing[], i: number) =>
    share({ timing: timings[i], work }, { timing: timings[squares.length], work: ceiling.work })
  squares.forEach((bench, i) => {
    const { name, work } = bench
    const shares = [one, two].map((timings) => shareOf(bench, timings, i))
    const compared = shares.map(({ value }) => [shareText(value, CEILING)])
    if (tfjs) {
      const ratio = speedup(one[i], tfjs)
      compared[0].push(`${timesText(ratio.value)} tfjs-wasm`)
      metric(`${name}/ratio_vs_tfjs_wasm`, ratio.value, ratio.spread)
    }
    const scaling = speedup(two[i], one[i])
    compared[1].push(`${timesText(scaling.value)} 1 thread`)
    line(benchLine(name, one[i], rate(one[i], work), compared[0]))
    line(benchLine(name, two[i], rate(two[i], work), compared[1]))
    metric(`${name}/gflops`, rate(one[i], work).value, one[i].spread)
    metric(`${name}/ratio_of_fma_ceiling`, shares[0].value, shares[0].spread)
    metric(`${name}/2_threads_scaling`, scaling.value, scaling.spread)
  })
  const nn = squares.findIndex(({ name }) => name === NN)
  if (squares.length < 3) return // a filter left some out, so figures that need all of them are left out, too
  const times = one.slice(0, squares.length).map((timing) => timing.ms)
  metric('matmul/layout_spread', Math.max(...times) / Math.min(...times))
  const scaling = speedup(two[nn], one[nn])
  const ofCeiling = shareOf(squares[nn], one, nn)
  metric('matmul/2_threads_scaling', scaling.value, scaling.spread)
  metric('matmul/ratio_of_fma_ceiling', ofCeiling.value, ofCeiling.spread)
}
