import { BackendError, type Device, gpu, isSoftwareAdapter, mul, rmsNorm, type Tensor } from '@tau/tensor'
import type { GpuEngine, GpuTraffic } from '@tau/tensor/kernel'
import { expectNear } from '@tau/testing'
import { inScopes } from '../harness/devices.ts'
import { significant, spreadText, timesText, timeText } from '../harness/lines.ts'
import { type RemoteContestant, race, speedup, type Timing } from '../harness/race.ts'
import type { GroupContext } from '../registry.ts'
import { type GpuCase, gpuCases, type MergeCase, mergeCases } from './gpu-cases.ts'
import { trainingStep } from './gpu-step.ts'

/** Tolerances: f32 sums of normal numbers in another order. Attention's gradients are sums of terms near 1 /
 *  temperature. */
const TOLERANCE = { atol: 2e-3, rtol: 2e-3 }

/** Waits for everything that was enqueued. One read is enough, because the queue runs in order. */
const settled = async (device: Device): Promise<void> => {
  using mark = device.empty([1])
  await mark.data()
}

/** Makes the call as often as the harness asks and waits once, because a wait costs more than a small
 *  kernel. */
function contestant(label: string, device: Device, call: () => void): RemoteContestant {
  return {
    label,
    async time(repeats) {
      const start = performance.now()
      for (let i = 0; i < repeats; i++) {
        using _scope = device.scope()
        call()
      }
      await settled(device)
      return (performance.now() - start) / repeats
    },
  }
}

const flopsText = (gflops: number): string =>
  gflops < 1000 ? `${significant(gflops)} GFLOPS` : `${significant(gflops / 1000)} TFLOPS`

interface Devices {
  readonly portable: Device
  readonly tuned: Device
  readonly isSoftware: boolean
}

const raceOptions = ({ isSoftware }: Devices) =>
  isSoftware ? { rounds: 5, sampleMs: 20, warmUpMs: 0 } : { rounds: 9, sampleMs: 200, warmUpMs: 20 }

async function valuesOf(device: Device, call: () => readonly Tensor[]): Promise<Float32Array[]> {
  using _scope = device.scope()
  return Promise.all(call().map((tensor) => tensor.data()))
}

async function runCase(bench: GpuCase, devices: Devices, { line, metric }: GroupContext): Promise<void> {
  const both = [devices.portable, devices.tuned]
  await inScopes(both, async () => {
    const calls = both.map((device) => bench.prepare(device))
    const [portable, tuned] = await Promise.all(both.map((device, i) => valuesOf(device, calls[i])))
    for (const [i, values] of tuned.entries()) expectNear(values, Float64Array.from(portable[i]), TOLERANCE)
    const [slow, fast] = await race(
      both.map((device, i) => contestant(['portable', 'tuned'][i], device, calls[i])),
      raceOptions(devices),
    )
    const name = `gpu/${bench.name}`
    const ratio = speedup(fast, slow)
    metric(`${name}/tuned_over_portable`, ratio.value, ratio.spread)
    metric(`${name}/portable_ms`, slow.ms, slow.spread)
    metric(`${name}/tuned_ms`, fast.ms, fast.spread)
    const rates = bench.flops === undefined ? [] : [slow, fast].map(({ ms }) => (bench.flops ?? 0) / ms / 1e6)
    if (bench.flops !== undefined) metric(`${name}/tuned_gflops`, rates[1], fast.spread)
    const told = (timing: Timing, rate?: number) =>
      `${timing.label} ${timeText(timing.ms)}${spreadText(timing.spread)}${rate === undefined ? '' : ` ${flopsText(rate)}`}`
    line(
      `${name.replaceAll('/', ' ')} ${bench.shape} | ${told(slow, rates[0])} | ${told(fast, rates[1])} | ${timesText(ratio.value)}`,
    )
  })
}

/** `quadratic` (tiles of all pairs) against `merge`, both hand-written. */
async function runMerges(bench: MergeCase, devices: Devices, { line, metric }: GroupContext): Promise<void> {
  const { tuned } = devices
  await inScopes([tuned], async () => {
    const { tiles, merges } = bench.prepare(tuned)
    const [found, expected] = [await valuesOf(tuned, merges), await valuesOf(tuned, tiles)]
    for (const [i, values] of found.entries()) expectNear(values, Float64Array.from(expected[i]), TOLERANCE)
    const [slow, fast] = await race(
      [contestant('tiles', tuned, tiles), contestant('merges', tuned, merges)],
      raceOptions(devices),
    )
    const name = `gpu/${bench.name}`
    const ratio = speedup(fast, slow)
    metric(`${name}/merges_over_tiles`, ratio.value, ratio.spread)
    metric(`${name}/tiles_ms`, slow.ms, slow.spread)
    metric(`${name}/merges_ms`, fast.ms, fast.spread)
    const told = ({ label, ms, spread }: Timing) => `${label} ${timeText(ms)}${spreadText(spread)}`
    line(
      `${name.replaceAll('/', ' ')} ${bench.shape} | ${told(slow)} | ${told(fast)} | ${timesText(ratio.value)}`,
    )
  })
}

/** What a call costs that has next to nothing to do (1024 elements). */
async function runOverhead(devices: Devices, { line, metric }: GroupContext): Promise<void> {
  const { tuned } = devices
  await inScopes([tuned], async () => {
    const x = tuned.tensor(new Float32Array(1024).fill(1), [4, 256])
    const [gpuJs, wgsl] = await race(
      [
        contestant('of gpu.js', tuned, () => void mul(x, 2)),
        contestant('written by hand', tuned, () => void rmsNorm(x)),
      ],
      { rounds: 9, sampleMs: 50, warmUpMs: 50 },
    )
    metric('gpu/overhead/portable_us_per_call', 1000 * gpuJs.ms, gpuJs.spread)
    metric('gpu/overhead/tuned_us_per_call', 1000 * wgsl.ms, wgsl.spread)
    for (const timing of [gpuJs, wgsl])
      line(`gpu overhead of a kernel ${timing.label}, 1024 elements | ${timeText(timing.ms)} a call`)
  })
}

function engineOf({ engine }: Device): GpuEngine {
  if (engine.backend !== 'gpu') throw new Error(`bench: the device must be a gpu, got ${engine.backend}`)
  return engine
}

async function trafficOf(device: Device): Promise<GpuTraffic> {
  const traffic = await engineOf(device).traffic()
  if (!traffic) throw new Error(`bench: mode webgpu must count its traffic, got ${device.info.variant}`)
  return traffic
}

/** A training step: how long it takes, and how many bytes go to the GPU and back. */
async function runStep(devices: Devices, { line, metric }: GroupContext): Promise<void> {
  const both = [devices.portable, devices.tuned]
  await inScopes(both, async () => {
    const steps = await Promise.all(both.map((device) => trainingStep(device, devices.isSoftware)))
    for (const { run } of steps) for (let i = 0; i < 2; i++) await run()
    for (const [i, device] of both.entries()) {
      const before = await trafficOf(device)
      await steps[i].run()
      const after = await trafficOf(device)
      const label = ['portable', 'tuned'][i]
      const used = (name: keyof GpuTraffic) => after[name] - before[name]
      metric(`gpu/step/${label}_calls`, used('calls'))
      metric(`gpu/step/${label}_uploaded_bytes`, used('uploadedBytes'))
      metric(`gpu/step/${label}_uniform_bytes`, used('uniformBytes'))
      metric(`gpu/step/${label}_read_bytes`, used('readBytes'))
      line(
        `gpu step ${steps[i].shape} ${label} | ${used('calls')} calls | ${used('uploadedBytes')} bytes of tensors and ${used('uniformBytes')} of arguments up | ${used('readBytes')} bytes back`,
      )
    }
    const [slow, fast] = await race(
      steps.map(({ run }, i) => ({ label: ['portable', 'tuned'][i], run })),
      devices.isSoftware
        ? { rounds: 3, sampleMs: 1, warmUpMs: 0 }
        : { rounds: 7, sampleMs: 200, warmUpMs: 100 },
    )
    const ratio = speedup(fast, slow)
    metric('gpu/step/tuned_over_portable', ratio.value, ratio.spread)
    metric('gpu/step/portable_ms', slow.ms, slow.spread)
    metric('gpu/step/tuned_ms', fast.ms, fast.spread)
    metric('gpu/step/tuned_tokens_per_s', (1000 * steps[1].tokens) / fast.ms, fast.spread)
    line(
      `gpu step ${steps[1].shape} | portable ${timeText(slow.ms)} | tuned ${timeText(fast.ms)} | ${significant((1000 * steps[1].tokens) / fast.ms)} tokens/s | ${timesText(ratio.value)}`,
    )
  })
}

/** Adapters differ in limits, drivers in faults. What one of them cannot do is noted; the rest is
 *  measured. */
async function orSkip(what: string, { skip }: GroupContext, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (cause) {
    skip(what, cause instanceof Error ? cause.message : String(cause))
  }
}

/** Both devices, or the reason why there is none. */
async function openBoth(): Promise<{ portable: Device; tuned: Device } | string> {
  try {
    return {
      portable: await gpu({ mode: 'webgpu', kernels: 'portable' }),
      tuned: await gpu({ mode: 'webgpu' }),
    }
  } catch (cause) {
    if (cause instanceof BackendError) return cause.message
    throw cause
  }
}

const namesOf = (isSoftware: boolean): string[] =>
  [...gpuCases(isSoftware), ...mergeCases(isSoftware)].map(({ name }) => name)

/** Portable kernels against tuned ones, on WebGPU's first adapter. It is a real GPU if there is one. */
export async function runGpu(context: GroupContext): Promise<number> {
  const passes = (name: string) => `gpu/${name}`.includes(context.filter)
  const named = new Set([true, false].flatMap(namesOf))
  if (![...named, 'overhead', 'step'].some(passes)) return 0
  const opened = await openBoth()
  if (typeof opened === 'string') {
    context.skip('gpu', opened)
    return 1
  }
  const { portable, tuned } = opened
  const adapter = tuned.info.adapter ?? 'an adapter without a name'
  context.adapter(adapter)
  const devices: Devices = { portable, tuned, isSoftware: isSoftwareAdapter(adapter) }
  const cases = gpuCases(devices.isSoftware).filter(({ name }) => passes(name))
  const merges = mergeCases(devices.isSoftware).filter(({ name }) => passes(name))
  const others = (
    [
      ['overhead', runOverhead],
      ['step', runStep],
    ] as const
  ).filter(([name]) => passes(name))
  try {
    for (const bench of cases)
      await orSkip(`gpu/${bench.name}`, context, () => runCase(bench, devices, context))
    for (const bench of merges)
      await orSkip(`gpu/${bench.name}`, context, () => runMerges(bench, devices, context))
    for (const [name, run] of others) await orSkip(`gpu/${name}`, context, () => run(devices, context))
  } finally {
    await portable.close()
    await tuned.close()
  }
  return cases.length + merges.length + others.length
}
