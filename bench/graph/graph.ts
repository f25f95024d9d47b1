import type { HostBench } from '@tau/testing'
import { collect } from '../harness/collect.ts'
import { benchLine, itemRate } from '../harness/lines.ts'
import { race } from '../harness/race.ts'
import type { GroupContext } from '../registry.ts'
import { runNeighbours } from './neighbours.ts'

/** First what runs on plain arrays, without a device: milliseconds and items per second. Then the searches
 *  that need a device. */
export async function runGraph(context: GroupContext): Promise<number> {
  const benches = await collect<HostBench>('packages/graph/src/**/*.bench.ts', context.filter)
  for (const { name, shape, items, prepare } of benches) {
    const { run, check } = prepare()
    await check()
    // A call of a second or more is steady enough for few rounds.
    const [timing] = await race([{ label: 'js', run }], { rounds: 7 })
    const rate = itemRate(timing, items)
    context.line(benchLine(`${name} ${shape}`, timing, rate))
    context.metric(`${name}/ms`, timing.ms, timing.spread)
    context.metric(`${name}/${rate.metric}`, rate.value, timing.spread)
  }
  return benches.length + (await runNeighbours(context))
}
