import { exp1, exp4, fma, splat } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import { valueVector } from './tau-cache-values'
import {
  ABOVE,
  ADDED,
  BELOW,
  beta,
  childOf,
  countOf,
  ENTRY_KEY,
  entryAt,
  F32,
  format,
  HEAD_DECAY,
  HEAD_KEY,
  HEAD_MASS,
  keyOf,
  levelOf,
  PATH_BYTES,
  readingOf,
  SUMS,
  valueAt,
  valueBytes,
  vectorBytes,
} from './tau-cache-view'

// Sums of weighted vectors: over the keys of a leaf, over the children of a node, and over what a query
// reads.

/** The most vectors of one sum: the keys of a leaf, and the other children on up to 12 levels. */
const MOST: usize = 256
// Offsets of the lists of a sum in the workspace.
const SCORES: usize = PATH_BYTES
const WEIGHTS: usize = SCORES + MOST * 8
const ROWS: usize = WEIGHTS + MOST * 4
const MASSES: usize = ROWS + MOST * 4
/** End of the lists. Decoded values may begin here. */
export const LISTS_BYTES: usize = MASSES + MOST * 4

// @ts-ignore: decorator
@inline
function itemAt(list: usize, i: i32, shift: usize): usize {
  return workspace() + list + ((<usize>i) << shift)
}

/** Puts a vector into the lists, with its score (the exponent of its weight, up to a constant) and its
 *  mass. */
// @ts-ignore: decorator
@inline
export function putVector(i: i32, score: f64, row: usize, mass: f32): void {
  store<f64>(itemAt(SCORES, i, 3), score)
  store<u32>(itemAt(ROWS, i, 2), row)
  store<f32>(itemAt(MASSES, i, 2), mass)
}

/** Computes the weights e^(score − largest) of the scores listed so far. */
export function weighVectors(count: i32): void {
  let top = load<f64>(itemAt(SCORES, 0, 3))
  for (let i = 1; i < count; i++) top = max(top, load<f64>(itemAt(SCORES, i, 3)))
  for (let i = 0; i < count; i++) store<f32>(itemAt(WEIGHTS, i, 2), <f32>(load<f64>(itemAt(SCORES, i, 3)) - top))
  for (let i = 0; i < count; i += 4) {
    const p = itemAt(WEIGHTS, i, 2)
    v128.store(p, exp4(v128.load(p)))
  }
}

/** Multiplies the weights of vectors from … to−1 by their masses. The masses become 1. */
export function applyFactors(from: i32, to: i32): void {
  for (let i = from; i < to; i++) {
    const weight = itemAt(WEIGHTS, i, 2)
    store<f32>(weight, load<f32>(weight) * load<f32>(itemAt(MASSES, i, 2)))
    store<f32>(itemAt(MASSES, i, 2), 1)
  }
}

/** Writes Σ weight·vector to `target` and returns Σ weight·mass. Vectors of weight 0 are not read. Vectors
 *  from `firstSlot` on are listed by their slots and decoded. */
export function sumVectors(count: i32, firstSlot: i32, target: usize): f32 {
  if (format != F32) fetch(count, firstSlot)
  let mass: f64 = 0
  let used = 0
  let room = workspace() + LISTS_BYTES
  for (let i = 0; i < count; i++) {
    const weight = load<f32>(itemAt(WEIGHTS, i, 2))
    if (weight == 0) continue
    mass += <f64>weight * <f64>load<f32>(itemAt(MASSES, i, 2))
    let row = <usize>load<u32>(itemAt(ROWS, i, 2))
    if (i >= firstSlot) {
      row = valueVector(<u32>row, room)
      if (row == room) room += vectorBytes
    }
    store<f32>(itemAt(WEIGHTS, used, 2), weight)
    store<u32>(itemAt(ROWS, used, 2), row)
    used++
  }
  addRows(used, target)
  return <f32>mass
}

/** Reads a word of every cache line of the vectors, which lie scattered in memory. So the processor fetches
 *  many lines at once. Decoding alone would wait for one vector after the other. */
function fetch(count: i32, firstSlot: i32): void {
  let seen: u32 = 0
  for (let i = 0; i < count; i++) {
    if (load<f32>(itemAt(WEIGHTS, i, 2)) == 0) continue
    const row = <usize>load<u32>(itemAt(ROWS, i, 2))
    const start = i < firstSlot ? row : valueAt(<u32>row)
    const end = start + (i < firstSlot ? vectorBytes : valueBytes)
    for (let p = start; p < end; p += 64) seen |= load<u32>(p)
  }
  store<u32>(itemAt(SCORES, 0, 3), seen)
}

/** Adds the listed rows. Columns of the sum stay in registers while all rows pass by. */
function addRows(count: i32, target: usize): void {
  const weights = workspace() + WEIGHTS
  const rows = workspace() + ROWS
  const end = (<usize>count) << 2
  let c: usize = 0
  for (; c + 128 <= vectorBytes; c += 128) {
    let s0 = splat(0)
    let s1 = splat(0)
    let s2 = splat(0)
    let s3 = splat(0)
    let s4 = splat(0)
    let s5 = splat(0)
    let s6 = splat(0)
    let s7 = splat(0)
    for (let i: usize = 0; i < end; i += 4) {
      const weight = v128.load32_splat(weights + i)
      const row = <usize>load<u32>(rows + i) + c
      s0 = fma(weight, v128.load(row), s0)
      s1 = fma(weight, v128.load(row, 16), s1)
      s2 = fma(weight, v128.load(row, 32), s2)
      s3 = fma(weight, v128.load(row, 48), s3)
      s4 = fma(weight, v128.load(row, 64), s4)
      s5 = fma(weight, v128.load(row, 80), s5)
      s6 = fma(weight, v128.load(row, 96), s6)
      s7 = fma(weight, v128.load(row, 112), s7)
    }
    v128.store(target + c, s0)
    v128.store(target + c, s1, 16)
    v128.store(target + c, s2, 32)
    v128.store(target + c, s3, 48)
    v128.store(target + c, s4, 64)
    v128.store(target + c, s5, 80)
    v128.store(target + c, s6, 96)
    v128.store(target + c, s7, 112)
  }
  for (; c < vectorBytes; c += 16) {
    let sum = splat(0)
    for (let i: usize = 0; i < end; i += 4)
      sum = fma(v128.load32_splat(weights + i), v128.load(<usize>load<u32>(rows + i) + c), sum)
    v128.store(target + c, sum)
  }
}

/** Address of a node's vector on the side ABOVE or BELOW. */
// @ts-ignore: decorator
@inline
export function vectorAt(node: usize, side: usize): usize {
  return node + SUMS + (side == ABOVE ? 0 : vectorBytes)
}

/** Computes both sums of a node from its keys (a leaf) or from its children. */
export function sumNode(node: usize): void {
  store<u32>(node, 0, ADDED)
  sumSide(node, ABOVE, beta)
  sumSide(node, BELOW, -beta)
}

function sumSide(node: usize, side: usize, slope: f64): void {
  const count = countOf(node)
  const leaf = levelOf(node) == 0
  let leader: f64 = 0
  let leaderKey: f64 = 0
  // Finds the leader, the entry with the largest potential slope·λ + c.
  let best = -1
  for (let i = 0; i < count; i++) {
    const entry = entryAt(node, i)
    const child = <usize>load<u32>(entry)
    const key = <f64>(leaf ? load<f32>(entry, ENTRY_KEY) : load<f32>(child + side, HEAD_KEY))
    const reading = leaf ? readingOf(<u32>child) : load<f64>(child + side, HEAD_DECAY)
    if (best < 0 || slope * (key - leaderKey) + (reading - leader) > 0) {
      best = i
      leader = reading
      leaderKey = key
    }
  }
  for (let i = 0; i < count; i++) {
    if (leaf) {
      const slot = load<u32>(entryAt(node, i))
      putVector(i, slope * (<f64>load<f32>(entryAt(node, i), ENTRY_KEY) - leaderKey) + (readingOf(slot) - leader), slot, 1)
    } else {
      const child = childOf(node, i)
      const head = child + side
      const score = slope * (<f64>load<f32>(head, HEAD_KEY) - leaderKey) + (load<f64>(head, HEAD_DECAY) - leader)
      putVector(i, score, vectorAt(child, side), load<f32>(head, HEAD_MASS))
    }
  }
  weighVectors(count)
  const head = node + side
  store<f64>(head, leader, HEAD_DECAY)
  store<f32>(head, <f32>leaderKey, HEAD_KEY)
  store<f32>(head, sumVectors(count, leaf ? 0 : count, vectorAt(node, side)), HEAD_MASS)
}

/** Adds one key to both sums of a node that already has keys. */
export function addToNode(node: usize, slot: u32): void {
  const row = valueVector(slot, workspace() + LISTS_BYTES)
  store<u32>(node, load<u32>(node, ADDED) + 1, ADDED)
  addToSide(node, ABOVE, beta, slot, row)
  addToSide(node, BELOW, -beta, slot, row)
}

/** A key takes the lead only if it is ahead by more than 1. So weights are at most e. Also, rounding cannot
 *  add up over many keys with rising potentials, whose factors would all be close to 1. */
const LEAD: f64 = 1

function addToSide(node: usize, side: usize, slope: f64, slot: u32, row: usize): void {
  const head = node + side
  const key = keyOf(slot)
  const reading = readingOf(slot)
  const ahead = slope * (<f64>key - <f64>load<f32>(head, HEAD_KEY)) + (reading - load<f64>(head, HEAD_DECAY))
  const leads = ahead > LEAD
  const kept: f32 = leads ? exp1(<f32>-ahead) : 1
  const weight: f32 = leads ? 1 : exp1(<f32>ahead)
  if (leads) {
    store<f32>(head, key, HEAD_KEY)
    store<f64>(head, reading, HEAD_DECAY)
  }
  store<f32>(head, load<f32>(head, HEAD_MASS) * kept + weight, HEAD_MASS)
  const vector = vectorAt(node, side)
  for (let c: usize = 0; c < vectorBytes; c += 16)
    v128.store(vector + c, fma(splat(weight), v128.load(row + c), f32x4.mul(splat(kept), v128.load(vector + c))))
}
