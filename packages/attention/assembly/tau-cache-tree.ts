import { workspace } from '@tau/tensor/assembly/workspace'
import { addToNode, sumNode } from './tau-cache-sums'
import {
  ADDED,
  CHILD_SLOT,
  childFor,
  childOf,
  COUNT,
  countOf,
  END,
  ENTRY_KEY,
  entryAt,
  FAN,
  keyOf,
  LEAF,
  LEVEL,
  levelOf,
  NEXT,
  NODE_OWNER,
  nodeBytes,
  NODES,
  openHead,
  owner,
  RESERVE,
  RESERVE_END,
  ROOT,
  slotOf,
  state,
} from './tau-cache-view'

// A B+-tree over (λ, slot). Nodes that were made before a fork may be read by another cache. They are copied
// before they are changed.

/** Takes the memory of one node. The reserve is filled before every change, and it is larger than one change
 *  can need. */
function takeNode(): usize {
  let node = load<u32>(state, NEXT)
  if (node == load<u32>(state, END)) {
    node = load<u32>(state, RESERVE)
    store<u32>(state, load<u32>(state, RESERVE_END), END)
    store<u32>(state, 0, RESERVE)
  }
  store<u32>(state, node + <u32>nodeBytes, NEXT)
  return node
}

export function addNodes(count: i32): void {
  store<i32>(state, load<i32>(state, NODES) + count, NODES)
}

function newNode(level: i32): usize {
  const node = takeNode()
  addNodes(1)
  store<u32>(node, owner, NODE_OWNER)
  store<i32>(node, 0, COUNT)
  store<i32>(node, level, LEVEL)
  return node
}

/** The node itself if this cache made it, else a copy. */
function ownNode(node: usize): usize {
  if (load<u32>(node, NODE_OWNER) == owner) return node
  const copy = takeNode()
  memory.copy(copy, node, nodeBytes)
  store<u32>(copy, owner, NODE_OWNER)
  return copy
}

/** Child i of an owned node, owned as well. */
function ownChild(node: usize, i: i32): usize {
  const child = ownNode(childOf(node, i))
  store<u32>(entryAt(node, i), <u32>child)
  return child
}

// @ts-ignore: decorator
@inline
function isFull(node: usize): bool {
  return countOf(node) == (levelOf(node) == 0 ? LEAF : FAN)
}

/** Moves entries i … count−1 of a node's lists to entries j … of another node, or of the same one. */
function moveEntries(from: usize, i: i32, to: usize, j: i32): void {
  const bytes = (<usize>(countOf(from) - i)) << 2
  memory.copy(entryAt(to, j), entryAt(from, i), bytes)
  memory.copy(entryAt(to, j) + ENTRY_KEY, entryAt(from, i) + ENTRY_KEY, bytes)
  if (levelOf(from) == 0) return
  memory.copy(entryAt(to, j) + CHILD_SLOT, entryAt(from, i) + CHILD_SLOT, bytes)
}

/** Splits a full child before `key` goes there. If the key goes to an end, most entries stay on the other
 *  side. Otherwise it splits in halves. Without this rule sorted keys would leave half-empty nodes behind.
 *  The parent has room, and both nodes are owned. */
function splitChild(parent: usize, i: i32, key: f32): void {
  const left = childOf(parent, i)
  const right = newNode(levelOf(left))
  const quarter = countOf(left) >> 2
  const atStart = key < load<f32>(entryAt(left, 1), ENTRY_KEY)
  const atEnd = key >= load<f32>(entryAt(left, countOf(left) - 1), ENTRY_KEY)
  const half = atEnd ? countOf(left) - quarter : atStart ? quarter : 2 * quarter
  moveEntries(left, half, right, 0)
  store<i32>(right, countOf(left) - half, COUNT)
  store<i32>(left, half, COUNT)
  moveEntries(parent, i + 1, parent, i + 2)
  store<i32>(parent, countOf(parent) + 1, COUNT)
  linkChild(parent, i + 1, right)
  sumNode(left)
  sumNode(right)
}

/** Makes `child` the child i of its parent and stores its first (λ, slot). */
export function linkChild(parent: usize, i: i32, child: usize): void {
  const entry = entryAt(parent, i)
  const first = entryAt(child, 0)
  store<u32>(entry, <u32>child)
  store<f32>(entry, load<f32>(first, ENTRY_KEY), ENTRY_KEY)
  store<u32>(entry, levelOf(child) == 0 ? load<u32>(first) : load<u32>(first, CHILD_SLOT), CHILD_SLOT)
}

// An entry of the path: a node between the root and a leaf's parent, and the child that was taken.
@inline
function stepAt(depth: i32): usize {
  return workspace() + ((<usize>depth) << 3)
}

/** Computes the sums of the path's nodes anew, from the lowest up. Nobody reads the root's sums. */
function sumPath(depth: i32): void {
  for (let i = depth - 1; i > 0; i--) sumNode(load<u32>(stepAt(i)))
}

/** After so many single additions a node's sums are computed anew from its children. So rounding cannot add
 *  up. */
const MOST_ADDED: u32 = 16

/** Adds a key to the sums of the path's nodes, from the lowest up. */
function addToPath(depth: i32, slot: u32): void {
  for (let i = depth - 1; i > 0; i--) {
    const node = <usize>load<u32>(stepAt(i))
    if (load<u32>(node, ADDED) < MOST_ADDED) addToNode(node, slot)
    else sumNode(node)
  }
}

/** Adds the key of `time` to the trees of heads begin … end−1. It is newer than all other keys. */
export function tauCacheInsert(cache: usize, time: i32, begin: i32, end: i32): void {
  for (let tree = begin; tree < end; tree++) {
    openHead(cache, tree)
    insertKey(slotOf(time))
  }
}

function insertKey(slot: u32): void {
  const key = keyOf(slot)
  let node = ownRoot(key)
  let depth = 0
  while (levelOf(node) > 0) {
    let i = childFor(node, key, slot)
    let child = ownChild(node, i)
    if (isFull(child)) {
      splitChild(node, i, key)
      i = childFor(node, key, slot)
      child = childOf(node, i)
    }
    store<u32>(stepAt(depth++), <u32>node)
    node = child
  }
  const count = countOf(node)
  let at = count
  while (at > 0 && load<f32>(entryAt(node, at - 1), ENTRY_KEY) > key) at--
  moveEntries(node, at, node, at + 1)
  store<u32>(entryAt(node, at), slot)
  store<f32>(entryAt(node, at), key, ENTRY_KEY)
  store<i32>(node, count + 1, COUNT)
  if (count == 0) sumNode(node)
  else addToNode(node, slot)
  addToPath(depth, slot)
}

/** The root, owned and with room for one more entry. */
function ownRoot(key: f32): usize {
  const root = <usize>load<u32>(state, ROOT)
  let own = root == 0 ? newNode(0) : ownNode(root)
  if (isFull(own)) {
    const parent = newNode(levelOf(own) + 1)
    store<i32>(parent, 1, COUNT)
    linkChild(parent, 0, own)
    splitChild(parent, 0, key)
    own = parent
  }
  store<u32>(state, <u32>own, ROOT)
  return own
}

/** Removes the key of `time` from the trees of heads begin … end−1. */
export function tauCacheRemove(cache: usize, time: i32, begin: i32, end: i32): void {
  for (let tree = begin; tree < end; tree++) {
    openHead(cache, tree)
    removeKey(slotOf(time))
  }
}

function removeKey(slot: u32): void {
  const key = keyOf(slot)
  let node = ownNode(load<u32>(state, ROOT))
  store<u32>(state, <u32>node, ROOT)
  let depth = 0
  while (levelOf(node) > 0) {
    const i = childFor(node, key, slot)
    const step = stepAt(depth++)
    store<u32>(step, <u32>node)
    store<i32>(step, i, 4)
    node = ownChild(node, i)
  }
  let at = 0
  while (load<u32>(entryAt(node, at)) != slot) at++
  removeEntry(node, at)
  // Removes nodes that became empty from their parents.
  while (countOf(node) == 0) {
    addNodes(-1)
    if (depth == 0) {
      store<u32>(state, 0, ROOT)
      return
    }
    const step = stepAt(--depth)
    node = load<u32>(step)
    removeEntry(node, load<i32>(step, 4))
  }
  sumNode(node)
  sumPath(depth)
  // If the root has one child, that child becomes the root.
  let root = <usize>load<u32>(state, ROOT)
  while (levelOf(root) > 0 && countOf(root) == 1) {
    root = childOf(root, 0)
    addNodes(-1)
  }
  store<u32>(state, <u32>root, ROOT)
}

function removeEntry(node: usize, i: i32): void {
  moveEntries(node, i + 1, node, i)
  store<i32>(node, countOf(node) - 1, COUNT)
}
