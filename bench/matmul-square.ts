import type { Device } from '@tau/tensor'
import { expectNear, type KernelBench, randomArray } from '@tau/testing'
import { inScopes } from './devices.ts'
import { type Contestant, race, speedup, type Timing } from './harness.ts'
import type { GroupContext } from './registry.ts'
import { benchLine, deviceLabel, rate, timesText } from './report.ts'
import { openTfjs } from './tfjs.ts'

const SIZE = 768
/** The square products of packages/tensor/src/kernels/matmul/matmul.bench.ts. */
export const SQUARE = /^matmul\/(nn|nt|tn)\/768$/

/** What a run claims of tfjs's result is checked too: one product of ones and a ramp, whose rows all sum the ramp. */
async function tfjsContestant(): Promise<Contestant & { version: string }> {
  const tfjs = await openTfjs()
  const ones = new Float32Array(SIZE * SIZE).fill(1)
  const ramp = Float32Array.from(ones, (_, i) => Math.floor(i / SIZE))
  const expected = new Float32Array(SIZE * SIZE).fill((SIZE * (SIZE - 1)) / 2)
  expectNear(tfjs.matmul(ones, ramp, SIZE, SIZE, SIZE).result(), expected, { atol: 0 })
  const a = Float32Array.from(randomArray(SIZE * SIZE, 1))
  const b = Float32Array.from(randomArray(SIZE * SIZE, 2))
  const { run } = tfjs.matmul(a, b, SIZE, SIZE, SIZE)
  return { label: `tfjs-wasm ${tfjs.version} SIMD 1 thread`, version: tfjs.version, run }
}

/** The three layouts at 768³ on one thread and on two, and tfjs, in one race, since their ratios are what is promised. */
export async function benchSquare(
  squares: readonly KernelBench<Device>[],
  devices: readonly Device[],
  { line, metric }: GroupContext,
): Promise<void> {
  const [oneThread, twoThreads] = devices
  await inScopes(devices, async () => {
    const contestants: Contestant[] = []
    for (const device of [oneThread, twoThreads])
      for (const bench of squares) {
        const { run, check } = bench.prepare(device)
        await check()
        contestants.push({ label: deviceLabel(device), run })
      }
    contestants.push(await tfjsContestant())
    const timings = await race(contestants, { rounds: 21, sampleMs: 30, warmUpMs: 150 })
    const tfjs = timings[timings.length - 1]
    const one = timings.slice(0, squares.length)
    const two = timings.slice(squares.length, 2 * squares.length)
    squares.forEach((bench, i) => {
      const { name, work } = bench
      line(benchLine(name, one[i], rate(one[i], work), [`${timesText(speedup(one[i], tfjs))} tfjs-wasm`]))
      line(benchLine(name, two[i], rate(two[i], work), [`${timesText(speedup(two[i], one[i]))} 1 thread`]))
      metric(`${name}/gflops`, rate(one[i], work).value)
      metric(`${name}/ratio_vs_tfjs_wasm`, speedup(one[i], tfjs))
      metric(`${name}/2_threads_scaling`, speedup(two[i], one[i]))
    })
    const peer = rate(tfjs, squares[0].work)
    line(benchLine(`matmul/nn/${SIZE}`, tfjs, peer))
    metric(`matmul/nn/${SIZE}/tfjs_wasm_gflops`, peer.value)
    if (squares.length < 3) return // a filter left some out: no figure that needs all of them
    const times = one.map((timing: Timing) => timing.ms)
    metric('matmul/layout_spread', Math.max(...times) / Math.min(...times))
    const nn = squares.findIndex(({ name }) => name === `matmul/nn/${SIZE}`)
    metric('matmul/2_threads_scaling', speedup(two[nn], one[nn]))
  })
}
