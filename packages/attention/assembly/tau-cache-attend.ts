import { splat, storeNext } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import { applyFactors, LISTS_BYTES, putVector, sumVectors, vectorAt, weighVectors } from './tau-cache-sums'
import {
  ABOVE,
  BELOW,
  beta,
  childFor,
  childOf,
  countOf,
  ENTRY_KEY,
  entryAt,
  HEAD_DECAY,
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

/** out [heads, dim] of one query per head, for heads begin … end−1 of all batch·heads. A query walks from the
 *  root down to a leaf. It reads the sums of the children beside its path, and the keys of the leaf: O(log T)
 *  vectors. */
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
    // Children before `taken` hold no key above the query; children after it hold none below.
    const taken = childFor(node, query, 0xffffffff)
    const children = countOf(node)
    for (let i = 0; i < children; i++) {
      const child = childOf(node, i)
      const side = select(ABOVE, BELOW, i < taken)
      const head = child + side
      const score = scoreOf(query, load<f32>(head, HEAD_KEY), load<f64>(head, HEAD_DECAY))
      putVector(count, score, vectorAt(child, side), load<f32>(head, HEAD_MASS))
      count += i32(i != taken) // the child on the path is overwritten by the next one
    }
    node = childOf(node, taken)
  }
  const keys = countOf(node)
  const width = <f64>load<f32>(entryAt(node, keys - 1), ENTRY_KEY) - <f64>load<f32>(entryAt(node, 0), ENTRY_KEY)
  const narrow = beta * width <= NARROW
  const above = narrow ? keysAbove(node, query) : 0
  if (narrow) putSum(node, query, above, count++)
  const sums = count
  if (narrow) count = putCorrections(node, query, above, count)
  else
    for (let i = 0; i < keys; i++) {
      const entry = entryAt(node, i)
      const slot = load<u32>(entry)
      putVector(count++, scoreOf(query, load<f32>(entry, ENTRY_KEY), readingOf(slot)), slot, 1)
    }
  weighVectors(count)
  if (narrow) applyFactors(sums, count)
  const total = workspace() + LISTS_BYTES + ((<usize>LEAF) * vectorBytes)
  const mass = splat(sumVectors(count, sums, total))
  for (let p: usize = 0; p < bytes; p += 16) storeNext(out + p, f32x4.div(v128.load(total + p), mass), bytes - p)
}

// In a narrow leaf a query does not read all keys. It reads the leaf's sum and corrects some keys. With
// x_j = β (λk_j − λq), the sum for queries above all keys is Σ_j e^(c_j + x_j) v_j. A key above the query
// should count e^(c_j − x_j), so −2 e^(c_j) sinh x_j corrects it. The sum for queries below works in the same
// way. The query takes the side with fewer corrections. Nothing cancels: a correction is at most 2 sinh ½ of
// what a key counts for. So the sum is as exact as its terms.

/** A leaf is narrow if β times its width in λ is at most this. */
const NARROW: f64 = 0.5

/** Number of keys of a leaf that are above the query. */
function keysAbove(leaf: usize, query: f32): i32 {
  const keys = countOf(leaf)
  let above = 0
  for (let i = 0; i < keys; i++) above += i32(load<f32>(entryAt(leaf, i), ENTRY_KEY) > query)
  return above
}

/** The side whose sum needs fewer corrections. ABOVE needs one per key above the query, BELOW one per key
 *  below it. */
// @ts-ignore: decorator
@inline
function sideFor(leaf: usize, above: i32): usize {
  return 2 * above <= countOf(leaf) ? ABOVE : BELOW
}

/** Adds the sum of a narrow leaf to the lists. */
function putSum(leaf: usize, query: f32, above: i32, count: i32): void {
  const side = sideFor(leaf, above)
  const head = leaf + side
  const distance = beta * (<f64>query - <f64>load<f32>(head, HEAD_KEY))
  const score = load<f64>(head, HEAD_DECAY) - (side == ABOVE ? distance : -distance)
  putVector(count, score, vectorAt(leaf, side), load<f32>(head, HEAD_MASS))
}

/** Adds the keys to be corrected to the lists, with their factors as masses. */
function putCorrections(leaf: usize, query: f32, above: i32, count: i32): i32 {
  const keys = countOf(leaf)
  const correctAbove = sideFor(leaf, above) == ABOVE
  const end = correctAbove ? keys : keys - above
  for (let i = correctAbove ? keys - above : 0; i < end; i++) {
    const entry = entryAt(leaf, i)
    const slot = load<u32>(entry)
    const x = beta * abs(<f64>load<f32>(entry, ENTRY_KEY) - <f64>query)
    putVector(count++, readingOf(slot), slot, <f32>(-2 * sinh(x)))
  }
  return count
}

/** sinh x for 0 ≤ x ≤ ½, with an error of at most 10⁻⁸ of it. */
// @ts-ignore: decorator
@inline
function sinh(x: f64): f64 {
  const y = x * x
  return x * (1 + (y / 6) * (1 + (y / 20) * (1 + y / 42)))
}

/** The score without the reading of the query's time, which is the same for the whole row. */
// @ts-ignore: decorator
@inline
function scoreOf(query: f32, key: f32, reading: f64): f64 {
  return reading - beta * abs(<f64>query - <f64>key)
}
