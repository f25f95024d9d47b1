import { sumColumns } from './columns'
import { Block, Events, listAbove, listBelow, listEqual, lowestSeen, weighEvents } from './events'
import { sumValues } from './forward'
import { decayAt, Head } from './head'
import { columnsLeaf, forwardLeaf, rowsLeaf, sortLeaf } from './leaf'
import { ENTRY_BYTES, mergeOrders } from './order'
import { ABOVE, BELOW, EQUAL, sumRows } from './rows'
import { exchange, SORTED_BLOCK, sortRows } from './sorted'

// The three passes over all blocks of time.
/** Computes outputs and best scores. After it the best scores are final. */
export const FORWARD: i32 = 0
/** The backward pass of rows.ts. */
export const ROWS: i32 = 1
/** The backward pass of columns.ts. */
export const COLUMNS: i32 = 2

/** Solves [from, from + size), or as much of it as exists. size is a power of two times `leaf`. */
export function solve(pass: i32, head: Head, list: Events, scratch: usize, from: i32, size: i32, leaf: i32): void {
  const to = min(head.keys, from + size)
  if (size == leaf) {
    sortLeaf(head, from, to, scratch)
    if (pass == FORWARD) forwardLeaf(head, from, to, scratch)
    else if (pass == ROWS) rowsLeaf(head, from, to, scratch)
    else columnsLeaf(head, from, to, scratch)
    return
  }
  const middle = from + (size >> 1)
  solve(pass, head, list, scratch, from, size >> 1, leaf)
  if (middle < to) solve(pass, head, list, scratch, middle, size >> 1, leaf)
  joinHalves(pass, head, list, scratch, from, size)
}

/** Makes one block of [from, from + size) from its two halves. The second half may lie beyond the end. */
export function joinHalves(pass: i32, head: Head, list: Events, scratch: usize, from: i32, size: i32): void {
  const middle = from + (size >> 1)
  const to = min(head.keys, from + size)
  const inOrder = head.queryTimes != 0 && size > SORTED_BLOCK
  if (middle < to) {
    if (inOrder) exchange(head)
    join(pass, head, list, scratch, from, middle, to)
    if (inOrder) exchange(head)
  }
  if (head.queryTimes && size == SORTED_BLOCK) sortRows(head, from, to)
}

/** Adds what the queries of [middle, to) read of the keys of [from, middle). Then it merges both halves into
 *  one ordered block. */
function join(pass: i32, head: Head, list: Events, scratch: usize, from: i32, middle: i32, to: i32): void {
  const keys = head.keyOrder + (<usize>from) * ENTRY_BYTES
  const keysMiddle = head.keyOrder + (<usize>middle) * ENTRY_BYTES
  const first = max(middle, head.firstQuery)
  const queries = head.queryOrder + (<usize>first) * ENTRY_BYTES
  const queriesEnd = head.queryOrder + (<usize>to) * ENTRY_BYTES
  if (first < to) {
    const block = changetype<Block>(changetype<usize>(list) + offsetof<Events>())
    block.keys = keys
    block.keysEnd = keysMiddle
    block.queries = queries
    block.queriesEnd = queriesEnd
    block.settled = pass != FORWARD
    block.since = head.decay ? lowestSeen(head, first, to) : 0
    if (!head.decay || !(decayAt(head, middle - 1) < block.since)) {
      const ties = listBelow(head, list, block)
      run(pass, head, list, BELOW, 1, scratch)
      if (ties) {
        listEqual(head, list, block)
        run(pass, head, list, EQUAL, 0, scratch)
      }
      listAbove(head, list, block)
      run(pass, head, list, ABOVE, -1, scratch)
    }
  }
  const spare = head.spare + (<usize>from) * ENTRY_BYTES // other threads may join other blocks of this head
  mergeOrders(keys, keysMiddle, head.keyOrder + (<usize>to) * ENTRY_BYTES, spare)
  const start = max(from, head.firstQuery)
  if (start < first && first < to) mergeOrders(head.queryOrder + (<usize>start) * ENTRY_BYTES, queries, queriesEnd, spare)
}

function run(pass: i32, head: Head, list: Events, side: usize, sign: f64, scratch: usize): void {
  weighEvents(list)
  if (pass == FORWARD) sumValues(head, list, scratch)
  else if (pass == ROWS) sumRows(head, list, side, scratch)
  else sumColumns(head, list, sign, scratch)
}
