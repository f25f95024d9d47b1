import { IGNORE_INDEX } from '@tau/tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EvalBatches, TokenBatches } from './batches.ts'

/** A text in which each token is its own position. So a window shows where it starts. */
const positions = (length: number) => Int32Array.from({ length }, (_, i) => i)
const [seqLen, batchSize] = [7, 5]

describe('TokenBatches', () => {
  const ids = positions(101)
  const make = (seed: number) => new TokenBatches({ ids, seqLen, batchSize, seed })

  it('gives windows of the text and, for each token, the next', () => {
    for (let step = 0; step < 50; step++) {
      const { tokens, targets } = make(3).batch(step)
      expect([tokens.length, targets.length]).toEqual([batchSize * seqLen, batchSize * seqLen])
      for (let row = 0; row < batchSize; row++) {
        const start = tokens[row * seqLen]
        expect(tokens.slice(row * seqLen, (row + 1) * seqLen)).toEqual(ids.slice(start, start + seqLen))
        expect(targets.slice(row * seqLen, (row + 1) * seqLen)).toEqual(
          ids.slice(start + 1, start + 1 + seqLen),
        )
      }
    }
  })

  it('depends on seed and step alone', () => {
    const inOrder = make(3)
    const batches = Array.from({ length: 11 }, (_, step) => inOrder.batch(step))
    for (const step of [10, 3, 3, 0]) expect(make(3).batch(step)).toEqual(batches[step])
    expect(make(4).batch(0)).not.toEqual(batches[0])
    expect(new Set(batches.map((batch) => batch.tokens.join())).size).toBe(11)
  })

  it('tells apart steps and seeds that agree in their lower 32 bits', () => {
    expect(make(1).batch(2 ** 32)).not.toEqual(make(1).batch(0))
    expect(make(2 ** 32 + 1).batch(0)).not.toEqual(make(1).batch(0))
  })

  it('takes each start equally often', () => {
    const starts = new Map<number, number>()
    const source = make(17)
    const steps = 2000
    for (let step = 0; step < steps; step++) {
      const { tokens } = source.batch(step)
      for (let row = 0; row < batchSize; row++) {
        const start = tokens[row * seqLen]
        starts.set(start, (starts.get(start) ?? 0) + 1)
      }
    }
    const places = ids.length - seqLen
    expect(Math.min(...starts.keys())).toBe(0)
    expect(Math.max(...starts.keys())).toBe(places - 1)
    // χ² with 93 degrees of freedom: above 148 with probability 2e-4; the seed is fixed.
    const expected = (steps * batchSize) / places
    let chiSquared = 0
    for (let start = 0; start < places; start++) {
      chiSquared += ((starts.get(start) ?? 0) - expected) ** 2 / expected
    }
    expect(chiSquared).toBeLessThan(148)
  })

  it('works on the shortest text', () => {
    const { tokens, targets } = new TokenBatches({ ids: positions(8), seqLen, batchSize: 1, seed: 0 }).batch(
      13,
    )
    expect(Array.from(tokens)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(Array.from(targets)).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('refuses a text too short, bad counts, seeds and steps', () => {
    const options = { ids, seqLen, batchSize, seed: 0 }
    const short = { ...options, ids: positions(7) }
    expect(() => new TokenBatches(short)).toThrow(
      'at least 8 tokens (seqLen + 1), got 7; lower seqLen or add text',
    )
    expect(() => new TokenBatches({ ...options, seqLen: 0 })).toThrow(
      'seqLen must be an integer of at least 1, got 0',
    )
    expect(() => new TokenBatches({ ...options, batchSize: 1.5 })).toThrow(
      'batchSize must be an integer of at least 1, got 1.5',
    )
    expect(() => new TokenBatches({ ...options, seed: -1 })).toThrow(
      'TokenBatches: seed must be an integer from 0 to 2^53 - 1, got -1',
    )
    for (const step of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => make(0).batch(step)).toThrow(
        `TokenBatches: step must be an integer from 0 to 2^53 - 1, got ${step}`,
      )
    }
  })
})

describe('EvalBatches', () => {
  it('has every token but the first as a target once, after the token before it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 127 }),
        fc.integer({ min: 1, max: 11 }),
        fc.integer({ min: 1, max: 5 }),
        (length, T, B) => {
          const batches = new EvalBatches({ ids: positions(length), seqLen: T, batchSize: B })
          const seen: number[] = []
          let targetCount = 0
          for (const batch of batches) {
            expect([batch.tokens.length, batch.targets.length]).toEqual([B * T, B * T])
            expect(batch.targetCount).toBeGreaterThan(0)
            targetCount += batch.targetCount
            batch.targets.forEach((target, i) => {
              if (target === IGNORE_INDEX) {
                expect(batch.tokens[i]).toBe(0)
              } else {
                expect(batch.tokens[i]).toBe(target - 1)
                seen.push(target)
              }
            })
          }
          expect(seen).toEqual(Array.from(positions(length).subarray(1)))
          expect(targetCount).toBe(length - 1)
        },
      ),
      { seed: 9, numRuns: 300 },
    )
  })

  it('fills up only the end', () => {
    // 9 targets in windows of 3, 2 a batch: the second batch has one window, then padding.
    const batches = new EvalBatches({ ids: positions(10), seqLen: 3, batchSize: 2 })
    expect(batches.length).toBe(2)
    expect(Array.from(batches.batch(1).tokens)).toEqual([6, 7, 8, 0, 0, 0])
    expect(Array.from(batches.batch(1).targets)).toEqual([7, 8, 9, -1, -1, -1])
  })

  it('refuses a text without a target, and batches that are not there', () => {
    expect(() => new EvalBatches({ ids: positions(1), seqLen, batchSize })).toThrow(
      'at least 2 tokens, got 1',
    )
    expect(() => new EvalBatches({ ids: positions(9), seqLen: -1, batchSize })).toThrow(
      'seqLen must be an integer of at least 1, got -1',
    )
    const batches = new EvalBatches({ ids: positions(37), seqLen, batchSize })
    for (const index of [-1, 2, 0.5]) {
      expect(() => batches.batch(index)).toThrow(`a batch index must be an integer from 0 to 1, got ${index}`)
    }
  })
})
