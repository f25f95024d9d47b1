// The layout of a TauCache in device memory. src/kernels/tau-cache/layout.ts has the other half. Every
// position has a slot per kv head. Slots lie in blocks of BLOCK, and a table holds the addresses of the
// blocks. A new position takes the slot behind all others. When trees are built in one go, the positions so
// far move to slots in the order of (λ, time). So the keys of a leaf lie side by side. A list of places then
// gives the slot of each of those times. Slots with the same λ are always in order of time. A block holds
//   per (batch, kv head): λ [BLOCK] f32 · scales [BLOCK] f32 (int8 values only) · values [BLOCK] rows
//   per (batch, query head), with decay: readings [BLOCK] f64
// Per (batch, query head) there is a tree over λ. All its nodes have the same size and the same head:
//   owner u32 · count u32 · level u32 (0: a leaf) · keys added u32 since the sums were computed
//   two sum heads, ABOVE and BELOW: decay f64, key f32, mass f32 · two vectors of sums
// A leaf continues with
//   slots u32 [LEAF] in order of (λ, slot) · their λ f32 [LEAF]
// The λ are copied here because reading each from its block would touch another page of memory. Any other
// node continues with
//   children u32 [FAN] · slots u32 [FAN] · λ f32 [FAN], at the place of λ in a leaf
// No key of a child is below the child's (λ, slot). The (λ, slot) of child 0 is not read. The sums of a node
// are Σ e^(a_j − a_r) [v_j, 1] over its keys.
// - The side ABOVE is for queries above all its keys, with a_j = β·λk_j + c_j.
// - The side BELOW is for queries below all its keys, with a_j = −β·λk_j + c_j.
// r is the leader, a key with about the largest a; its λ and reading are in the sum head. Sums depend neither
// on the query nor on the time since then. Differences of λ and of readings are taken in f64, where they are
// exact.

export const BLOCK: i32 = 256
const BLOCK_SHIFT: i32 = 8

/** The most keys of a leaf and the most children of a node. */
export const LEAF: i32 = 48
export const FAN: i32 = 8

// Offsets in the cache's description, which consists of 32-bit words.
export const DESCRIPTION_BYTES: usize = 64
export const HEADS: usize = 0
export const KV_HEADS: usize = 4
export const FORMAT: usize = 8
export const HAS_DECAY: usize = 12
export const VECTOR_BYTES: usize = 16
export const VALUE_BYTES: usize = 20
export const KEY_HEAD_BYTES: usize = 24
export const DECAYS_AT: usize = 28
export const NODE_BYTES: usize = 32
export const OWNER: usize = 36
export const TABLE: usize = 40
export const TEMPERATURE: usize = 44
export const STATES: usize = 48
/** The number of times, from 0 on, in the list of places; the number of slots that they had when it was made;
 *  the list itself, [rows, slots] u32. */
export const PLACED: usize = 52
export const PLACED_SLOTS: usize = 56
export const PLACES: usize = 60

/** Formats of stored values. */
export const F32: i32 = 0
export const F16: i32 = 1
export const INT8: i32 = 2

// Offsets in the state of a tree.
export const STATE_BYTES: usize = 32
export const ROOT: usize = 0
/** Room for new nodes: first [NEXT, END), then [RESERVE, RESERVE_END). */
export const NEXT: usize = 4
export const END: usize = 8
export const RESERVE: usize = 12
export const RESERVE_END: usize = 16
/** Number of nodes of the tree. */
export const NODES: usize = 20

// Offsets in a node.
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

// The state of the open tree. {@link openHead} sets it.
export let heads: i32 = 0
export let group: i32 = 0
export let beta: f64 = 0
export let state: usize = 0
export let owner: u32 = 0
export let format: i32 = 0
export let hasDecay: bool = false
/** Bytes of a vector of sums. D is rounded up to whole vectors. */
export let vectorBytes: usize = 0
export let nodeBytes: usize = 0
/** Offset of a node's slots or children. */
export let listAt: usize = 0
let table: usize = 0
/** Bytes of a stored value. */
export let valueBytes: usize = 0
let keysAt: usize = 0
let scalesAt: usize = 0
let valuesAt: usize = 0
let decaysAt: usize = 0
let placed: u32 = 0
/** The slot minus the time, for times that the list of places lacks. */
let shift: u32 = 0
let places: usize = 0

/** Opens the keys and values of kv head `row` of all batch·kvHeads. */
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

/** The slot of a position. */
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

/** The decay reading; 0 without decay. */
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

/** The last child that may hold (key, slot): its first (λ, slot) is not above. Children are counted without a
 *  branch, because the answer depends on the data and the processor cannot predict it. */
export function childFor(node: usize, key: f32, slot: u32): i32 {
  const list = node + listAt
  const before = notAfter(list, key, slot) | (notAfter(list + 16, key, slot) << 4)
  return popcnt(before & ((1 << countOf(node)) - 2)) // the first child is left out: its first (λ, slot) is not read
}

/** One bit for each of the four children from `list` on. It is set if the child's first (λ, slot) is not
 *  above. */
// @ts-ignore: decorator
@inline
function notAfter(list: usize, key: f32, slot: u32): i32 {
  const least = v128.load(list, ENTRY_KEY)
  const first = i32x4.le_u(v128.load(list, CHILD_SLOT), i32x4.splat(slot))
  const tied = v128.and(f32x4.eq(least, f32x4.splat(key)), first)
  return i32x4.bitmask(v128.or(f32x4.lt(least, f32x4.splat(key)), tied))
}
