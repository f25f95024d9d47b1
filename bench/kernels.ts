import { globSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { cpu, type Device } from '@tau/tensor'
import type { KernelBench } from '@tau/testing'
import { race, speedup, type Timing } from './harness.ts'
import { benchSquare, SQUARE } from './matmul-square.ts'
import { MemoryCopy } from './memory-copy.ts'
import type { Group, GroupContext } from './registry.ts'
import { benchLine, deviceLabel, rate } from './report.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The benches that lie beside the kernels: every `<kernel>.bench.ts` of every package. */
async function collect(): Promise<KernelBench<Device>[]> {
  const files = globSync('packages/*/src/kernels/*/*.bench.ts', { cwd: root }).sort()
  const lists = await Promise.all(
    files.map(async (file) => {
      const { benches } = (await import(pathToFileURL(root + file).href)) as {
        benches?: readonly KernelBench<Device>[]
      }
      if (!benches) throw new Error(`bench: a bench file must export benches, got ${file} without`)
      return benches
    }),
  )
  return lists.flat()
}

/** One kernel on one thread and on two, against `memory.copy` where memory is the limit. */
async function benchKernel(
  bench: KernelBench<Device>,
  devices: readonly Device[],
  context: GroupContext,
): Promise<void> {
  const scopes = devices.map((device) => device.scope())
  try {
    const cases = devices.map((device) => bench.prepare(device))
    for (const { check } of cases) await check()
    const contestants = cases.map(({ run }, i) => ({ label: deviceLabel(devices[i]), run }))
    const { work } = bench
    if ('bytes' in work) contestants.push({ label: 'memory.copy', run: new MemoryCopy().mover(work.bytes) })
    const timings = await race(contestants)
    report(bench, timings, context)
  } finally {
    for (const scope of scopes) scope[Symbol.dispose]()
  }
}

function report(
  { name, shape, work }: KernelBench<Device>,
  timings: readonly Timing[],
  { line, metric }: GroupContext,
) {
  const [one, two, copy] = timings
  const compared = (timing: Timing) => (copy ? [`${speedup(timing, copy).toFixed(2)}x memory.copy`] : [])
  line(benchLine(`${name} ${shape}`, one, work, compared(one)))
  line(
    benchLine(`${name} ${shape}`, two, work, [...compared(two), `${speedup(two, one).toFixed(2)}x 1 thread`]),
  )
  metric(`${name}/${rate(one, work).metric}`, rate(one, work).value)
  metric(`${name}/2_threads_scaling`, speedup(two, one))
  if (copy) metric(`${name}/ratio_vs_memory_copy`, speedup(one, copy))
}

export const kernels: Group = {
  summary: 'every kernel of the cpu backend on real shapes; matmul against tfjs-backend-wasm',
  async run(context) {
    const benches = (await collect()).filter(({ name }) => name.includes(context.filter))
    if (benches.length === 0)
      throw new Error(`bench: --filter must match the name of a kernel bench, got "${context.filter}"`)
    const devices = [await cpu({ threads: 1 }), await cpu({ threads: 2 })]
    try {
      for (const { info } of devices)
        for (const fallback of info.fallbacks) context.line(`fallback: ${fallback}`)
      const squares = benches.filter(({ name }) => SQUARE.test(name))
      if (squares.length > 0) await benchSquare(squares, devices, context)
      for (const bench of benches) if (!SQUARE.test(bench.name)) await benchKernel(bench, devices, context)
    } finally {
      for (const device of devices) await device.close()
    }
  },
}
