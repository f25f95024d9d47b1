import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BackendError } from '../../errors.ts'
import { binOf, Heap } from './heap.ts'

const START = 1000 // not on a cache line: the first block begins at 1024
const LIMIT = 2 ** 32

/** Sizes that are uniform on a logarithmic scale. */
const sizes = fc
  .tuple(fc.integer({ min: 0, max: 22 }), fc.double({ min: 1, max: 2, noNaN: true }))
  .map(([power, factor]) => Math.floor(factor * 2 ** power))
const actions = fc.array(fc.oneof(fc.record({ alloc: sizes }), fc.record({ free: fc.nat() })), {
  maxLength: 300,
})

describe('Heap', () => {
  it('never hands out memory twice, and merges all of it back to one block', () => {
    fc.assert(
      fc.property(actions, (list) => {
        let end = 0
        const heap = new Heap(START, LIMIT, (bytes) => {
          end = Math.max(end, bytes)
        })
        const live: { address: number; bytes: number }[] = []
        for (const action of list) {
          if ('free' in action) {
            if (live.length > 0) heap.free(live.splice(action.free % live.length, 1)[0].address)
            continue
          }
          const address = heap.alloc(action.alloc)
          const block = { address, bytes: action.alloc }
          expect(address % 64).toBe(0)
          expect(address).toBeGreaterThanOrEqual(START)
          expect(address + action.alloc).toBeLessThanOrEqual(end)
          for (const other of live)
            expect(address + action.alloc <= other.address || other.address + other.bytes <= address).toBe(
              true,
            )
          live.push(block)
        }
        for (const { address } of live) heap.free(address)
        if (end === 0) return
        const before = end
        expect(heap.alloc(end - 1024)).toBe(1024) // one block from the first address to the last
        expect(end).toBe(before)
      }),
      { seed: 4, numRuns: 150 },
    )
  })

  it('sorts sizes into bins that never decrease, eight per power of two', () => {
    let last = 0
    for (let units = 1; units < 2 ** 12; units++) {
      const bin = binOf(64 * units)
      expect(bin).toBeGreaterThanOrEqual(last)
      expect(bin - last).toBeLessThanOrEqual(1)
      last = bin
    }
    const unit = fc.integer({ min: 1, max: 2 ** 26 })
    fc.assert(
      fc.property(unit, unit, (a, b) => binOf(64 * Math.min(a, b)) <= binOf(64 * Math.max(a, b))),
      { seed: 4 },
    )
    fc.assert(
      fc.property(unit, (a) => binOf(64 * a) < binOf(64 * Math.ceil(a * 1.126 + 1))),
      { seed: 4 },
    )
  })

  it('reuses freed memory before it grows', () => {
    const ends: number[] = []
    const heap = new Heap(0, LIMIT, (bytes) => ends.push(bytes))
    const blocks = [1000, 2000, 3000].map((bytes) => heap.alloc(bytes))
    heap.free(blocks[1])
    const grown = ends.length
    expect(heap.alloc(2000)).toBe(blocks[1])
    expect(ends).toHaveLength(grown)
    heap.free(blocks[2])
    expect(heap.alloc(5000)).toBe(blocks[2]) // the free block at the end is extended, not left behind
  })

  it('says what is in use when memory ends, and goes on', () => {
    const heap = new Heap(0, 4096, () => {})
    const first = heap.alloc(3000)
    expect(() => heap.alloc(2000)).toThrow(BackendError)
    expect(() => heap.alloc(2000)).toThrow(
      'alloc: tensors must fit in 4096 bytes, got 3008 in use and 2048 more; use a smaller batch, length or model',
    )
    heap.free(first)
    expect(heap.alloc(4096)).toBe(0)
  })

  it('names scopes when memory ends with a thousand blocks in use', () => {
    const heap = new Heap(0, 64_000, () => {})
    for (let i = 0; i < 1000; i++) heap.alloc(64)
    expect(() => heap.alloc(64)).toThrow(
      'got 64000 in use and 64 more; 1000 buffers are alive: free tensors that are done with by scopes (using scope = device.scope()), or use a smaller batch, length or model',
    )
  })

  it('is intact after memory could not grow', () => {
    let full = false
    const heap = new Heap(0, LIMIT, () => {
      if (full) throw new BackendError('full')
    })
    const first = heap.alloc(64)
    const second = heap.alloc(64)
    heap.free(second)
    full = true
    expect(() => heap.alloc(640)).toThrow('full')
    expect(heap.alloc(64)).toBe(second)
    full = false
    expect(heap.alloc(640)).toBe(128)
    heap.free(first)
  })

  it('refuses to free what is not in use', () => {
    const heap = new Heap(0, LIMIT, () => {})
    const address = heap.alloc(10)
    heap.free(address)
    for (const wrong of [address, address + 64, -1])
      expect(() => heap.free(wrong)).toThrow(
        `internal: heap block must be in use to be freed, got address ${wrong}`,
      )
  })
})
