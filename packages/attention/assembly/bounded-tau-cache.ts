import { workspace } from '@tau/tensor/assembly/workspace'
import { addToSum, isEmpty, listSum, oneMinusExp, readSums, sumBytes } from './bounded-sums'

// λ-distance attention over keys of which only sums per bin of λ are left; see bounded-tau-cache.ts for what it computes.
//
// A head's state: the newest decay reading (f64); the smallest and the largest λ in each bin (f32); then sums, two per bin, for
// queries above and below it, and one per node of the levels above the bins. Node i of level l covers bins i·2^l to (i + 1)·2^l.
// A query reads the sibling of every node on its bin's path, so even nodes hold their sum for queries above them and odd nodes
// theirs for queries below; the root has no sibling and is left out.
const HEAD_BYTES: usize = 8
const BIN_BYTES: usize = 8
const SMALLEST: usize = 0
const LARGEST: usize = 4
/** Bytes of the list of sums that a query reads, 24 each: 2 of its own bin and 1 per level, at most 17. */
const LIST_BYTES: usize = 512

// @ts-ignore: decorator
@inline
function binOf(lambda: f32, bins: i32): i32 {
  return min(bins - 1, <i32>(<f64>lambda * <f64>bins))
}

/** Puts a key into its bin and into the nodes above it. */
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

/** Attention of one query to all keys so far, at least one. */
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
    // Its sum for queries above it is the first of two, the one for queries below it the second.
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

/** The query's own bin, whose keys lie between `low` and `high`. Outside of these one of its two sums is exact. Between them a key
 *  at x is weighed f(x) = μ(α·e^(β(x − q)) + γ·e^(β(q − x))), with α and γ such that α… + γ… is e^(−β|x − q|) for keys at `low` and
 *  `high`; it is least, r = α + γ times that, for keys at q. μ = 2 / (1 + r) makes the errors at both ends equal. */
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
  // α = e^(−up)·(1 − e^(−down)) / whole, γ likewise; the powers go to the scores, where they cannot underflow.
  const alpha = oneMinusExp(down) / whole
  const gamma = oneMinusExp(up) / whole
  const least = alpha * (1 - oneMinusExp(up)) + gamma * (1 - oneMinusExp(down))
  const balance = 2 / (1 + least)
  const end = listSum(list, above, beta, q, now, balance * alpha, -up)
  return listSum(end, below, -beta, q, now, balance * gamma, -down)
}

/** For heads (b, h) begin … end−1 and each of `length` times in order: appends lambdaK and v [B, Hkv, length(, dim)] with the reading
 *  decay + decayLow [B, H, length] (0: none), unless lambdaK is 0; then attends with lambdaQ [B, H, length] into
 *  out [B, H, length, dim], unless lambdaQ is 0. Each head has `stateBytes` of state. */
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
