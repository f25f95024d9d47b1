import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MergeTable, SCAN_LIMIT } from './merge.ts'

type Merge = readonly [left: number, right: number, merged: number]

/** The definition: merge the adjacent pair of lowest rank, the leftmost of equals, until no pair has a
 *  rank. */
function reference(word: readonly number[], merges: readonly Merge[]): number[] {
  const ids = [...word]
  for (;;) {
    let best = Infinity
    let at = -1
    for (let i = 0; i + 1 < ids.length; i++) {
      const rank = merges.findLastIndex(([left, right]) => left === ids[i] && right === ids[i + 1])
      if (rank >= 0 && rank < best) {
        best = rank
        at = i
      }
    }
    if (at < 0) return ids
    ids.splice(at, 2, merges[best][2])
  }
}

function apply(word: readonly number[], merges: readonly Merge[], vocabSize: number): number[] {
  const ids = Int32Array.from(word)
  const length = new MergeTable(Int32Array.from(merges.flat()), vocabSize).apply(ids)
  return Array.from(ids.subarray(0, length))
}

const vocabSize = 13
const id = fc.integer({ min: 0, max: vocabSize - 1 })
const mergeLists = fc.array(fc.tuple(id, id, id), { maxLength: 29 })

describe.each([
  ['scan', 0, SCAN_LIMIT],
  ['heap', SCAN_LIMIT + 1, 3 * SCAN_LIMIT],
])('merges by %s', (_, minLength, maxLength) => {
  it('equal the definition, for any merges', () => {
    // With few distinct ids, pairs repeat, overlap (a a a) and arise from other merges.
    fc.assert(
      fc.property(fc.array(fc.nat(4), { minLength, maxLength }), mergeLists, (word, merges) => {
        expect(apply(word, merges, vocabSize)).toEqual(reference(word, merges))
      }),
      { seed: 3, numRuns: 700 },
    )
  })
})

it('takes rank before position, and the left of equals', () => {
  // Merges 0 1 → 3 and 1 2 → 4. In 0 1 2 the second pair has the lower rank.
  expect(
    apply(
      [0, 1, 2],
      [
        [1, 2, 4],
        [0, 1, 3],
      ],
      5,
    ),
  ).toEqual([0, 4])
  expect(apply([0, 0, 0], [[0, 0, 1]], 2)).toEqual([1, 0])
})

it('stays below quadratic time for one long word', () => {
  // 20 doublings merge 2²⁰ equal ids into one. A quadratic method would take 10¹² steps and exceed any time
  // limit.
  const merges = Array.from({ length: 20 }, (_, i) => [i, i, i + 1] as const)
  expect(apply(new Array(2 ** 20).fill(0), merges, 21)).toEqual([20])
})
