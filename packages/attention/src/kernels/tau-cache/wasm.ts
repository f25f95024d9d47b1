import { type CpuEngine, ELEMENT_BYTES, rowGrain, touches } from '@tau/tensor/kernel'
import { attentionWasm } from '../cpu-module.ts'
import { BLOCK, NODE_HEAD_BYTES } from './layout.ts'
import type { TauTreeKernels } from './tau-cache.ts'

/** Words that a visit to a tree reads for certain: the head of a node. The rest depends on the tree's
 *  numbers. */
const NODE_WORDS = NODE_HEAD_BYTES / ELEMENT_BYTES

/** Nodes per tile when trees are built: about 10 µs. */
const NODE_GRAIN = 8
/** Positions per tile when they are moved. */
const MOVE_GRAIN = 256

export function tauTreeWasm(engine: CpuEngine): TauTreeKernels {
  const launchOf = (name: string) => engine.kernel(attentionWasm, name)
  const store = launchOf('tauCacheStore')
  const read = launchOf('tauCacheRead')
  const insert = launchOf('tauCacheInsert')
  const remove = launchOf('tauCacheRemove')
  const sort = launchOf('tauCacheSort')
  const gather = launchOf('tauCacheGather')
  const arrange = launchOf('tauCacheArrange')
  const leaves = launchOf('tauCacheLeaves')
  const level = launchOf('tauCacheLevel')
  const attend = launchOf('tauCacheAttend')
  const firstNotFinite = launchOf('firstNotFinite')
  return {
    words(handle, length) {
      const { buffer } = engine.view(handle, length)
      return new Int32Array(buffer, handle, length)
    },
    store(cache, { lambdaK, v, logDecay }, reports, { rows, valueDim, start, count }) {
      const high = logDecay?.high ?? 0
      const low = logDecay?.low ?? 0
      store(
        [cache, lambdaK, v, high, low, reports, valueDim, start, count],
        rows,
        rowGrain(count * valueDim),
        touches(rows * count * (1 + valueDim)),
      )
    },
    read(cache, { lambdaK, v = 0, high = 0, low = 0 }, { rows, valueDim, length }) {
      const blocks = Math.ceil(length / BLOCK)
      read(
        [cache, lambdaK, v, high, low, valueDim, length, blocks],
        rows * blocks,
        rowGrain(BLOCK * valueDim),
        touches(rows * length * (1 + (v ? valueDim : 0))),
      )
    },
    insert(cache, time, heads) {
      insert([cache, time], heads, 1, touches(heads * NODE_WORDS))
    },
    remove(cache, time, heads) {
      remove([cache, time], heads, 1, touches(heads * NODE_WORDS))
    },
    sort(cache, lists, { rows, length }) {
      sort([cache, lists, length], rows, 1, touches(rows * length))
    },
    arrange(cache, { lists, copies, places }, { rows, length, copyBytes }) {
      const moved = touches((2 * length * copyBytes) / ELEMENT_BYTES)
      for (let row = 0; row < rows; row++) {
        gather([cache, lists, copies, length, row], length, MOVE_GRAIN, moved)
        arrange([cache, lists, copies, places, length, row], length, MOVE_GRAIN, moved)
      }
    },
    build(cache, { lists, nodes }, { heads, length }, levels) {
      const perTree = levels.reduce((sum, count) => sum + count, 0)
      const made = (count: number) => touches(heads * count * NODE_WORDS)
      leaves(
        [cache, lists, length, nodes, perTree, levels[0]],
        heads * levels[0],
        NODE_GRAIN,
        made(levels[0]),
      )
      let below = 0
      for (let i = 1; i < levels.length; i++) {
        const [children, count] = [levels[i - 1], levels[i]]
        level([cache, nodes, perTree, below, children, count, i], heads * count, NODE_GRAIN, made(count))
        below += children
      }
    },
    attend(cache, lambdaQ, out, heads, valueDim) {
      attend([cache, lambdaQ, out, valueDim], heads, 1, touches(heads * (NODE_WORDS + 1 + valueDim)))
    },
    firstNotFinite(x, count, found) {
      firstNotFinite([x, count, found], 1, 1, touches(count))
    },
  }
}
