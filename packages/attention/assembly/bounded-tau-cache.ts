import { workspace } from '@tau/tensor/assembly/workspace'
import { addToSum, isEmpty, listSum, oneMinusExp, readSums, sumBytes } from './bounded-sums'

// λ-distance attention over keys that are kept only as sums per bin of λ. src/caches/bounded-tau-cache.ts
// says what it computes.
// The state of a head holds:
// - the newest decay reading (f64);
// - the smallest and the largest λ in each bin (f32);
// - two sums per bin, for queries above it and below it;
// - one sum per node of the levels above the bins. Node i of level l covers the bins i·2^l to (i + 1)·2^l.
// A query reads the sibling of every node on the path of its bin. So an even node holds its sum for queries
// above it, and an odd node its sum for queries below it. The root has no sibling and is left out.
export const HEAD_BYTES: usize = 8
export const BIN_BYTES: usize = 8
const SMALLEST: usize = 0
const LARGEST: usize = 4
/** Bytes of the list of sums that a query reads, 24 each: 2 of its own bin and 1 per level, at most 17. */
const LIST_BYTES: usize = 512

// @ts-ignore: decorator
@inline
function binOf(lambda: f32, bins: i32): i32 {
  return min(bins - 1, <i32>(<f64>lambda * <f64>bins))
}

/** Adds a key to its bin and to the nodes above it. */
function append(state: usize, bins: i32, beta: f64, key: f32, decay: f64, v: usize, dim: i32): void {
  const bin = binOf(key, bins)
  const range = state + HEAD_BYTES + <usize>bin * BIN_BYTES
  const sums = state + HEAD_BYTES + <usize>bins * BIN_BYTES
  const bytes = sumBytes(dim)
  const own = sums + (<usize>bin << 1) * bytes
  const empty = isEmpty(own)
  store<f32>(range, empty ? key : min(key, load<f32>(range, SMALLEST)), SMALLEST)
  store<f32>(range, empty ? key : max(key, load<f32>(range, LARGEST)), LARGEST)
  store<f64>(state, decay)

  const k = <f64>key
  addToSum(own, beta, k, decay, v, dim)
  addToSum(own + bytes, -beta, k, decay, v, dim)
  let level = sums + (<usize>bins << 1) * bytes
  let node = bin >> 1
  for (let nodes = (bins + 1) >> 1; nodes > 1; nodes = (nodes + 1) >> 1) {
    addToSum(level + <usize>node * bytes, node & 1 ? -beta : beta, k, decay, v, dim)
    level += <usize>nodes * bytes
    node >>= 1
  }
}

/** Attention of one query to all keys so far. There is at least one. */
function attend(state: usize, bins: i32, beta: f64, query: f32, out: usize, dim: i32): void {
  const list = workspace()
  const bin = binOf(query, bins)
  const sums = state + HEAD_BYTES + <usize>bins * BIN_BYTES
  const bytes = sumBytes(dim)
  const now = load<f64>(state)
  const q = <f64>query

  let end = listOwn(list, state, bins, bin, beta, query, dim)
  const sibling = bin ^ 1
  if (sibling < bins) {
    // A bin's first sum is for queries above it, its second one for queries below it.
    const below = bin & 1 ? 0 : 1
    const sum = sums + <usize>((sibling << 1) + below) * bytes
    end = listSum(end, sum, below ? -beta : beta, q, now, 1, 0)
  }
  let level = sums + (<usize>bins << 1) * bytes
  let node = bin >> 1
  for (let nodes = (bins + 1) >> 1; nodes > 1; nodes = (nodes + 1) >> 1) {
    const other = node ^ 1
    if (other < nodes) end = listSum(end, level + <usize>other * bytes, other & 1 ? -beta : beta, q, now, 1, 0)
    level += <usize>nodes * bytes
    node >>= 1
  }
  readSums(list, end, list + LIST_BYTES, out, dim)
}

/** Lists the query's own bin. Its keys lie between `low` and `high`. A query outside of these reads one of
 *  the two sums, which is exact. For a query between them the sums are blended, so that a key at x gets the
 *  weight
 *    f(x) = μ(α·e^(β(x − q)) + γ·e^(β(q − x))).
 *  α and γ are chosen so that the term in brackets equals e^(−β|x − q|) for keys at `low` and at `high`.
 *  Relative to that it is least for keys at q, where it is r = α + γ. μ = 2 / (1 + r) makes the errors at
 *  both ends equal. */
function listOwn(list: usize, state: usize, bins: i32, bin: i32, beta: f64, query: f32, dim: i32): usize {
  const bytes = sumBytes(dim)
  const above = state + HEAD_BYTES + <usize>bins * BIN_BYTES + (<usize>bin << 1) * bytes
  const below = above + bytes
  const range = state + HEAD_BYTES + <usize>bin * BIN_BYTES
  const low = load<f32>(range, SMALLEST)
  const high = load<f32>(range, LARGEST)
  const now = load<f64>(state)
  const q = <f64>query
  if (query >= high) return listSum(list, above, beta, q, now, 1, 0)
  if (query <= low) return listSum(list, below, -beta, q, now, 1, 0)
  const down = 2 * beta * (q - <f64>low)
  const up = 2 * beta * (<f64>high - q)
  const whole = oneMinusExp(down + up)
  // α = e^(−up)·(1 − e^(−down)) / whole, and γ likewise. The powers are added to the scores, where they
  // cannot underflow.
  const alpha = oneMinusExp(down) / whole
  const gamma = oneMinusExp(up) / whole
  const least = alpha * (1 - oneMinusExp(up)) + gamma * (1 - oneMinusExp(down))
  const balance = 2 / (1 + least)
  const end = listSum(list, above, beta, q, now, balance * alpha, -up)
  return listSum(end, below, -beta, q, now, balance * gamma, -down)
}

/** For heads (b, h) begin … end−1 and each of `length` times in order:
 *  - Appends lambdaK and v [B, Hkv, length(, dim)], unless lambdaK is 0. The reading is decay + decayLow
 *    [B, H, length] (0: none).
 *  - Then attends with lambdaQ [B, H, length] into out [B, H, length, dim], unless lambdaQ is 0.
 *  Each head has `stateBytes` of state. */
export function boundedTauCache(
  states: usize,
  stateBytes: usize,
  bins: i32,
  temperature: usize,
  lambdaK: usize,
  v: usize,
  decay: usize,
  decayLow: usize,
  lambdaQ: usize,
  out: usize,
  heads: i32,
  kvHeads: i32,
  length: i32,
  dim: i32,
  begin: i32,
  end: i32,
): void {
  const group = heads / kvHeads
  const vector = (<usize>dim) << 2
  for (let item = begin; item < end; item++) {
    const state = states + <usize>item * stateBytes
    const head = item % heads
    const beta = 1 / <f64>load<f32>(temperature + ((<usize>head) << 2))
    const keys = <usize>((item / heads) * kvHeads + head / group) * <usize>length
    const queries = <usize>item * <usize>length
    for (let t: usize = 0; t < <usize>length; t++) {
      const row = queries + t
      if (lambdaK) {
        let reading: f64 = 0
        if (decay) reading = <f64>load<f32>(decay + (row << 2))
        if (decayLow) reading += <f64>load<f32>(decayLow + (row << 2))
        append(state, bins, beta, load<f32>(lambdaK + ((keys + t) << 2)), reading, v + (keys + t) * vector, dim)
      }
      if (lambdaQ) attend(state, bins, beta, load<f32>(lambdaQ + (row << 2)), out + row * vector, dim)
    }
  }
}
