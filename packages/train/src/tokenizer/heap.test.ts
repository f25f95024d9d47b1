import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Heap } from './heap.ts'

it('pops in order, also between pushes', () => {
  // A number is pushed; null pops. The popped entry must be the smallest of a sorted list.
  const operations = fc.array(fc.option(fc.integer({ min: -11, max: 11 }), { freq: 3 }), { maxLength: 97 })
  fc.assert(
    fc.property(operations, (list) => {
      const heap = new Heap<number>((a, b) => a < b)
      const expected: number[] = []
      for (const value of [...list, ...list.map(() => null)]) {
        if (value === null) expect(heap.pop()).toBe(expected.sort((a, b) => a - b).shift())
        else {
          heap.push(value)
          expected.push(value)
        }
      }
    }),
    { seed: 2, numRuns: 300 },
  )
})
