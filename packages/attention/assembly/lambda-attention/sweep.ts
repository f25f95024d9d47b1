import { workspace } from '@tau/tensor/assembly/workspace'
import { COLUMN_BYTES } from './sweep/columns'
import { EVENT_BYTES, Events } from './sweep/events'
import { finishForward } from './sweep/forward'
import { Head, isBroken, keyAt, queryAt } from './sweep/head'
import { ENTRY_BYTES } from './sweep/order'
import { ROW_BYTES, finishRow } from './sweep/rows'
import { placeSorted, sortedBytes } from './sweep/sorted'
import { COLUMNS, FORWARD, joinHalves, ROWS, solve } from './sweep/solve'

// λ-distance attention in O(T log T). docs/attention.md has the algorithm; sweep/ has its parts. Every pass
// runs in steps, and each step is a launch:
// - SOLVE solves blocks of `size` times, one block per item.
// - JOIN makes each block of twice the size from its two halves. It repeats until one block is left.
// - FINISH finishes the results, one head per item.
// The size at which the steps begin only cuts the work into items. It changes no bit of the results.
export const SOLVE: i32 = 0
export const JOIN: i32 = 1
export const FINISH: i32 = 2

/** Bytes from the workspace's start to the running sum of a pass. The records of the head and of the list
 *  come before it. */
const RECORDS: usize = 256

// @ts-ignore: decorator
@inline
function headRecord(): Head {
  return changetype<Head>(workspace())
}

/** Fills the record of query head `item` = b·H + h from the arguments that all passes share. orders has 8
 *  (Tq + 3·Tk) bytes per head. */
function openHead(
  item: i32,
  lambdaQ: usize,
  lambdaK: usize,
  v: usize,
  temperature: usize,
  decay: usize,
  decayLow: usize,
  best: usize,
  orders: usize,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  capacity: i32,
  decayBatch: i32,
): Head {
  const head = headRecord()
  head.queryTimes = 0
  const h = item % heads
  const kvHead = (item / heads) * kvHeads + h / (heads / kvHeads)
  const reading = ((<usize>(item / heads)) * (<usize>decayBatch) + (<usize>h) * (<usize>capacity)) << 2
  head.keys = keys
  head.firstQuery = keys - queries
  head.bytes = (<usize>dim) << 2
  head.beta = 1 / <f64>load<f32>(temperature + ((<usize>h) << 2))
  head.lambdaQ = ofQueries(head, item, lambdaQ, 4)
  head.best = ofQueries(head, item, best, 8)
  head.lambdaK = lambdaK + (((<usize>kvHead) * (<usize>capacity)) << 2)
  head.values = v + (<usize>kvHead) * (<usize>capacity) * head.bytes
  head.decay = decay ? decay + reading : 0
  head.decayLow = decayLow ? decayLow + reading : 0
  const own = orders + (<usize>item) * (<usize>(queries + 3 * keys)) * ENTRY_BYTES
  head.queryOrder = own - (<usize>head.firstQuery) * ENTRY_BYTES
  head.keyOrder = own + (<usize>queries) * ENTRY_BYTES
  head.spare = head.keyOrder + (<usize>keys) * ENTRY_BYTES
  head.decays = head.spare + (<usize>keys) * ENTRY_BYTES
  return head
}

/** Address at which the rows of a head's queries would begin if its first query were at time 0. */
// @ts-ignore: decorator
@inline
function ofQueries(head: Head, item: i32, base: usize, bytes: usize): usize {
  return base + ((<usize>item) * (<usize>(head.keys - head.firstQuery)) - (<usize>head.firstQuery)) * bytes
}

/** Runs one item of a SOLVE or JOIN step. lists has EVENT_BYTES per key; every block has its own part of
 *  it. */
function runBlock(pass: i32, step: i32, head: Head, lists: usize, item: i32, block: i32, size: i32, leaf: i32): void {
  const list = changetype<Events>(workspace() + offsetof<Head>())
  const from = block * size
  const width = min(size, head.keys - from)
  const padded = (<usize>((width + 3) & ~3)) << 2
  list.events = lists + ((<usize>item) * (<usize>((head.keys + 3) & ~3)) + <usize>from) * EVENT_BYTES
  list.factors = list.events + padded
  const sum = workspace() + RECORDS
  if (step == SOLVE) solve(pass, head, list, sum, from, size, leaf)
  else joinHalves(pass, head, list, sum, from, size)
}

/** The forward pass. It writes out, best [B·H, Tq] in f64, which the backward passes read, and mass [B·H, Tq]
 *  in f32. sorted is scratch, see sweep/sorted.ts; 0: rows stay in order of time. */
export function lambdaSweepForward(
  step: i32,
  size: i32,
  leaf: i32,
  lists: usize,
  out: usize,
  mass: usize,
  sorted: usize,
  lambdaQ: usize,
  lambdaK: usize,
  v: usize,
  temperature: usize,
  decay: usize,
  decayLow: usize,
  best: usize,
  orders: usize,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  capacity: i32,
  decayBatch: i32,
  begin: i32,
  end: i32,
): void {
  const blocks = (keys + size - 1) / size
  for (let i = begin; i < end; i++) {
    const item = i / blocks
    const head = openHead(
      item, lambdaQ, lambdaK, v, temperature, decay, decayLow, best, orders, heads, kvHeads, queries, keys, dim,
      capacity, decayBatch,
    )
    head.out = ofQueries(head, item, out, head.bytes)
    head.mass = ofQueries(head, item, mass, 4)
    if (sorted) placeSorted(head, sorted + (<usize>item) * sortedBytes(head))
    if (step == SOLVE || step == JOIN) runBlock(FORWARD, step, head, lists, item, i % blocks, size, leaf)
    else finishForward(head)
  }
}

/** First half of the backward pass. It writes rowSums [B·H, Tq, 6] in f64, dLambdaQ [B·H, Tq], and moments
 *  [B·H] = Σ λq ρ in f64. */
export function lambdaSweepRows(
  step: i32,
  size: i32,
  leaf: i32,
  lists: usize,
  dOut: usize,
  rowSums: usize,
  dLambdaQ: usize,
  moments: usize,
  lambdaQ: usize,
  lambdaK: usize,
  v: usize,
  temperature: usize,
  decay: usize,
  decayLow: usize,
  best: usize,
  orders: usize,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  capacity: i32,
  decayBatch: i32,
  begin: i32,
  end: i32,
): void {
  const blocks = (keys + size - 1) / size
  for (let i = begin; i < end; i++) {
    const item = i / blocks
    const head = openHead(
      item, lambdaQ, lambdaK, v, temperature, decay, decayLow, best, orders, heads, kvHeads, queries, keys, dim,
      capacity, decayBatch,
    )
    head.grads = ofQueries(head, item, dOut, head.bytes)
    head.rowSums = ofQueries(head, item, rowSums, ROW_BYTES)
    if (step == SOLVE || step == JOIN) runBlock(ROWS, step, head, lists, item, i % blocks, size, leaf)
    else finishRows(head, ofQueries(head, item, dLambdaQ, 4), moments + ((<usize>item) << 3))
  }
}

function finishRows(head: Head, dLambdaQ: usize, moment: usize): void {
  let sum: f64 = 0
  let broken = false
  for (let query = 0; query < head.keys; query++) {
    broken = broken || isBroken(head, query)
    if (query < head.firstQuery) continue
    const slope = finishRow(head, query, broken)
    store<f32>(dLambdaQ + ((<usize>query) << 2), <f32>(-head.beta * slope))
    sum += queryAt(head, query) * slope
  }
  store<f64>(moment, sum)
}

/** Second half of the backward pass. It writes the gradients of each query head: keySums [B·H, Tk, 2] in f64,
 *  dLambdaK and dLogDecay [B·H, Tk] (dLogDecay 0: not wanted), dV [B·H, Tk, D], dTemperature [B·H]. */
export function lambdaSweepColumns(
  step: i32,
  size: i32,
  leaf: i32,
  lists: usize,
  dOut: usize,
  rowSums: usize,
  moments: usize,
  keySums: usize,
  dLambdaK: usize,
  dV: usize,
  dTemperature: usize,
  dLogDecay: usize,
  lambdaQ: usize,
  lambdaK: usize,
  v: usize,
  temperature: usize,
  decay: usize,
  decayLow: usize,
  best: usize,
  orders: usize,
  heads: i32,
  kvHeads: i32,
  queries: i32,
  keys: i32,
  dim: i32,
  capacity: i32,
  decayBatch: i32,
  begin: i32,
  end: i32,
): void {
  const blocks = (keys + size - 1) / size
  for (let i = begin; i < end; i++) {
    const item = i / blocks
    const head = openHead(
      item, lambdaQ, lambdaK, v, temperature, decay, decayLow, best, orders, heads, kvHeads, queries, keys, dim,
      capacity, decayBatch,
    )
    const first = (<usize>item) * (<usize>keys)
    head.grads = ofQueries(head, item, dOut, head.bytes)
    head.rowSums = ofQueries(head, item, rowSums, ROW_BYTES)
    head.keySums = keySums + first * COLUMN_BYTES
    head.dValues = dV + first * head.bytes
    if (step == SOLVE || step == JOIN) runBlock(COLUMNS, step, head, lists, item, i % blocks, size, leaf)
    else
      finishColumns(
        head, dLambdaK + (first << 2), dLogDecay ? dLogDecay + (first << 2) : 0,
        load<f64>(moments + ((<usize>item) << 3)), dTemperature + ((<usize>item) << 2),
      )
  }
}

/** Σ_ij ds_ij |λq_i − λk_j| = Σ_i λq_i ρ_i − Σ_j λk_j κ_j. Both sides have the same ds and are summed in f64,
 *  so no digits are lost. */
function finishColumns(head: Head, dLambdaK: usize, dLogDecay: usize, moment: f64, dTemperature: usize): void {
  for (let key = 0; key < head.keys; key++) {
    const sums = head.keySums + (<usize>key) * COLUMN_BYTES
    const slope = load<f64>(sums)
    const at = (<usize>key) << 2
    moment -= keyAt(head, key) * slope
    store<f32>(dLambdaK + at, <f32>(head.beta * slope))
    if (dLogDecay) store<f32>(dLogDecay + at, <f32>load<f64>(sums, 8))
  }
  store<f32>(dTemperature, <f32>(head.beta * head.beta * moment))
}
