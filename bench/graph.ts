import type { HostBench } from '@tau/testing'
import { collect } from './collect.ts'
import { race } from './harness.ts'
import type { GroupContext } from './registry.ts'
import { benchLine, itemRate } from './report.ts'

/** What runs on plain arrays, without a device: one thread, milliseconds and items per second. */
export async function runGraph(context: GroupContext): Promise<number> {
  const benches = await collect<HostBench>('packages/graph/src/**/*.bench.ts', context.filter)
  for (const { name, shape, items, prepare } of benches) {
    const { run, check } = prepare()
    await check()
    // A call of a second or more is steady enough for few rounds.
    const [timing] = await race([{ label: 'js 1 thread', run }], { rounds: 7 })
    const rate = itemRate(timing, items)
    context.line(benchLine(`${name} ${shape}`, timing, rate))
    context.metric(`${name}/ms`, timing.ms)
    context.metric(`${name}/${rate.metric}`, rate.value)
  }
  return benches.length
}
