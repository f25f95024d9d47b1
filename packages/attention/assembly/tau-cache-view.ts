// Where a TauCache keeps things in device memory. The layout is shared with src/kernels/tau-cache/layout.ts.
//
// Every position has a slot per kv head; slots lie in blocks of BLOCK, whose addresses a table holds. A new position takes the slot behind
// all others. Where trees are made in one go, the positions so far move to slots in the order of (λ, time), so that the keys of a leaf lie
// side by side; a list of places says where those times are. Slots of one λ are always in order of time. A block is
//   per (batch, kv head): λ [BLOCK] f32 · scales [BLOCK] f32 (int8 values only) · values [BLOCK] rows
//   per (batch, query head), with decay: readings [BLOCK] f64
// Per (batch, query head) there is a tree over λ, of nodes of one size:
//   owner u32 · count u32 · level u32 (0: a leaf) · keys added u32 since its sums were made · two heads: decay f64, key f32, mass f32 · two vectors of sums
//   leaf: slots u32 [LEAF], ordered by (λ, slot) · their λ f32 [LEAF]: to read them here spares a page of memory for each
//   else: children u32 [FAN] · slots u32 [FAN] · from where λ lie in a leaf, λ f32 [FAN]: no key of a child is below its (λ, slot), which
//         is not read for child 0
//
// A node's sums are Σ e^{a_j − a_r} [v_j, 1] over its keys, for queries above them all (a_j = β·λk_j + c_j, offset ABOVE) and below
// them all (a_j = −β·λk_j + c_j, BELOW), r being a key with about the largest a, whose λ and reading are in the head. They depend neither
// on the query nor on the time that has passed since. Differences of λ and of readings are taken in f64, where they are exact.

export const BLOCK: i32 = 256
const BLOCK_SHIFT: i32 = 8

/** Most keys of a leaf, most children of a node. */
export const LEAF: i32 = 48
export const FAN: i32 = 8

// The cache's description, in 32-bit words.
const HEADS: usize = 0
const KV_HEADS: usize = 4
const FORMAT: usize = 8
const HAS_DECAY: usize = 12
const VECTOR_BYTES: usize = 16
const VALUE_BYTES: usize = 20
const KEY_HEAD_BYTES: usize = 24
const DECAYS_AT: usize = 28
const NODE_BYTES: usize = 32
const OWNER: usize = 36
const TABLE: usize = 40
const TEMPERATURE: usize = 44
const STATES: usize = 48
/** Times that the list of places has, from 0 on; the slots that these took when it was made; the list, [rows, slots] u32. */
const PLACED: usize = 52
const PLACED_SLOTS: usize = 56
const PLACES: usize = 60

/** Formats of values. */
export const F32: i32 = 0
export const F16: i32 = 1
export const INT8: i32 = 2

// A tree's state.
export const STATE_BYTES: usize = 32
export const ROOT: usize = 0
/** Room for new nodes: [NEXT, END), then [RESERVE, RESERVE_END). */
export const NEXT: usize = 4
export const END: usize = 8
export const RESERVE: usize = 12
export const RESERVE_END: usize = 16
/** Nodes of the tree. */
export const NODES: usize = 20

// A node.
export const NODE_OWNER: usize = 0
export const COUNT: usize = 4
export const LEVEL: usize = 8
export const ADDED: usize = 12
export const ABOVE: usize = 16
export const BELOW: usize = 32
export const HEAD_DECAY: usize = 0
export const HEAD_KEY: usize = 8
export const HEAD_MASS: usize = 12
export const SUMS: usize = 48
export const ENTRY_KEY: usize = (<usize>LEAF) << 2
export const CHILD_SLOT: usize = (<usize>FAN) << 2

/** The workspace begins with the path from the root to a leaf. */
export const PATH_BYTES: usize = 256

// Of the tree that is open: set by {@link openHead}.
export let heads: i32 = 0
export let group: i32 = 0
export let beta: f64 = 0
export let state: usize = 0
export let owner: u32 = 0
export let format: i32 = 0
export let hasDecay: bool = false
/** Bytes of a vector of sums: D rounded up to whole vectors. */
export let vectorBytes: usize = 0
export let nodeBytes: usize = 0
/** Where a node's slots or children begin. */
export let listAt: usize = 0
let table: usize = 0
/** Bytes of a stored value. */
export let valueBytes: usize = 0
let keysAt: usize = 0
let scalesAt: usize = 0
let valuesAt: usize = 0
let decaysAt: usize = 0
let placed: u32 = 0
/** How much later the slots of other times are than the times. */
let shift: u32 = 0
let places: usize = 0

/** Opens the data of kv head `row` of all batch·kvHeads: keys and values. */
export function openKeys(cache: usize, row: i32): void {
  heads = load<i32>(cache, HEADS)
  group = heads / load<i32>(cache, KV_HEADS)
  format = load<i32>(cache, FORMAT)
  hasDecay = load<i32>(cache, HAS_DECAY) != 0
  vectorBytes = load<u32>(cache, VECTOR_BYTES)
  valueBytes = load<u32>(cache, VALUE_BYTES)
  nodeBytes = load<u32>(cache, NODE_BYTES)
  listAt = SUMS + 2 * vectorBytes
  owner = load<u32>(cache, OWNER)
  table = load<u32>(cache, TABLE)
  keysAt = <usize>row * load<u32>(cache, KEY_HEAD_BYTES)
  scalesAt = keysAt + ((<usize>BLOCK) << 2)
  valuesAt = format == INT8 ? scalesAt + ((<usize>BLOCK) << 2) : scalesAt
  placed = load<u32>(cache, PLACED)
  const slots = load<u32>(cache, PLACED_SLOTS)
  shift = slots - placed
  places = load<u32>(cache, PLACES) + ((<usize>row * <usize>slots) << 2)
}

/** Opens query head `tree` of all batch·heads: its decay, its tree, and the keys and values that it reads. */
export function openHead(cache: usize, tree: i32): void {
  openKeys(cache, tree / (load<i32>(cache, HEADS) / load<i32>(cache, KV_HEADS)))
  decaysAt = load<u32>(cache, DECAYS_AT) + (<usize>tree) * ((<usize>BLOCK) << 3)
  const temperature = load<u32>(cache, TEMPERATURE)
  beta = 1 / <f64>load<f32>(temperature + ((<usize>(tree % heads)) << 2))
  state = load<u32>(cache, STATES) + <usize>tree * STATE_BYTES
}

/** Where a position is. */
// @ts-ignore: decorator
@inline
export function slotOf(time: u32): u32 {
  return time < placed ? load<u32>(places + ((<usize>time) << 2)) : time + shift
}

// @ts-ignore: decorator
@inline
function blockOf(slot: u32): usize {
  return load<u32>(table + ((<usize>(slot >> BLOCK_SHIFT)) << 2))
}

// @ts-ignore: decorator
@inline
function within(slot: u32): usize {
  return <usize>(slot & (BLOCK - 1))
}

// @ts-ignore: decorator
@inline
export function keyAt(slot: u32): usize {
  return blockOf(slot) + keysAt + (within(slot) << 2)
}

// @ts-ignore: decorator
@inline
export function keyOf(slot: u32): f32 {
  return load<f32>(keyAt(slot))
}

// @ts-ignore: decorator
@inline
export function valueAt(slot: u32): usize {
  return blockOf(slot) + valuesAt + within(slot) * valueBytes
}

// @ts-ignore: decorator
@inline
export function scaleAt(slot: u32): usize {
  return blockOf(slot) + scalesAt + (within(slot) << 2)
}

// @ts-ignore: decorator
@inline
export function readingAt(slot: u32): usize {
  return blockOf(slot) + decaysAt + (within(slot) << 3)
}

/** The decay reading, 0 without decay. */
// @ts-ignore: decorator
@inline
export function readingOf(slot: u32): f64 {
  return hasDecay ? load<f64>(readingAt(slot)) : 0
}

// @ts-ignore: decorator
@inline
export function countOf(node: usize): i32 {
  return load<i32>(node, COUNT)
}

// @ts-ignore: decorator
@inline
export function levelOf(node: usize): i32 {
  return load<i32>(node, LEVEL)
}

/** Address of entry i of a node's times or children. */
// @ts-ignore: decorator
@inline
export function entryAt(node: usize, i: i32): usize {
  return node + listAt + ((<usize>i) << 2)
}

// @ts-ignore: decorator
@inline
export function childOf(node: usize, i: i32): usize {
  return load<u32>(entryAt(node, i))
}

/** The last child that may hold (key, slot): no key of it is above. It depends on the data and cannot be predicted: children are counted,
 *  without a branch. */
export function childFor(node: usize, key: f32, slot: u32): i32 {
  const list = node + listAt
  const before = notAfter(list, key, slot) | (notAfter(list + 16, key, slot) << 4)
  return popcnt(before & ((1 << countOf(node)) - 2)) // the first child is before them all
}

/** A bit for each of the four children of a list from `list` on whose first (λ, slot) is not above. */
// @ts-ignore: decorator
@inline
function notAfter(list: usize, key: f32, slot: u32): i32 {
  const least = v128.load(list, ENTRY_KEY)
  const first = i32x4.le_u(v128.load(list, CHILD_SLOT), i32x4.splat(slot))
  const tied = v128.and(f32x4.eq(least, f32x4.splat(key)), first)
  return i32x4.bitmask(v128.or(f32x4.lt(least, f32x4.splat(key)), tied))
}
