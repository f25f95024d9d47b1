import { splat, storeNext } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import { LISTS_BYTES, putVector, sumVectors, vectorAt, weighVectors } from './tau-cache-sums'
import {
  ABOVE,
  BELOW,
  beta,
  childFor,
  childOf,
  countOf,
  ENTRY_KEY,
  entryAt,
  HEAD_CLOCK,
  HEAD_KEY,
  HEAD_MASS,
  LEAF,
  levelOf,
  openHead,
  readingOf,
  ROOT,
  state,
  vectorBytes,
} from './tau-cache-view'

/** out [heads, dim] of one query per head, for heads begin … end−1 of all batch·heads. A query reads the sums of the children beside
 *  its path from the root down, and the keys of the leaf that it comes to: O(log T) vectors. */
export function tauCacheAttend(cache: usize, lambdaQ: usize, out: usize, dim: i32, begin: i32, end: i32): void {
  for (let head = begin; head < end; head++) {
    openHead(cache, head)
    const bytes = (<usize>dim) << 2
    attendHead(load<f32>(lambdaQ + ((<usize>head) << 2)), out + <usize>head * bytes, bytes)
  }
}

function attendHead(query: f32, out: usize, bytes: usize): void {
  let node = <usize>load<u32>(state, ROOT)
  let count = 0
  while (levelOf(node) > 0) {
    // Children before it hold no key above the query, those behind it none below.
    const taken = childFor(node, query, 0xffffffff)
    const children = countOf(node)
    for (let i = 0; i < children; i++) {
      const child = childOf(node, i)
      const side = select(ABOVE, BELOW, i < taken)
      const head = child + side
      const score = scoreOf(query, load<f32>(head, HEAD_KEY), load<f64>(head, HEAD_CLOCK))
      putVector(count, score, vectorAt(child, side), load<f32>(head, HEAD_MASS))
      count += i32(i != taken) // the next one takes the place of the child on the path
    }
    node = childOf(node, taken)
  }
  const sums = count
  const keys = countOf(node)
  for (let i = 0; i < keys; i++) {
    const entry = entryAt(node, i)
    const slot = load<u32>(entry)
    putVector(count++, scoreOf(query, load<f32>(entry, ENTRY_KEY), readingOf(slot)), slot, 1)
  }
  weighVectors(count)
  const total = workspace() + LISTS_BYTES + ((<usize>LEAF) * vectorBytes)
  const mass = splat(sumVectors(count, sums, total))
  for (let p: usize = 0; p < bytes; p += 16) storeNext(out + p, f32x4.div(v128.load(total + p), mass), bytes - p)
}

/** The score but for the reading of now, which is the same for the whole row. */
// @ts-ignore: decorator
@inline
function scoreOf(query: f32, key: f32, reading: f64): f64 {
  return reading - beta * abs(<f64>query - <f64>key)
}
