import { Random } from '@tau/tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SampleOptions, sampleToken } from './sample.ts'

const DRAWS = 20_011

/** How often each token comes, of `DRAWS`. */
function frequencies(logits: Float32Array, options: SampleOptions = {}, context: number[] = []): number[] {
  const random = new Random(17)
  const counts = logits.reduce<number[]>((all) => [...all, 0], [])
  for (let i = 0; i < DRAWS; i++) counts[sampleToken(logits, context, options, random)]++
  return counts
}

const softmax = (scores: readonly number[]): number[] => {
  const weights = scores.map((score) => Math.exp(score - Math.max(...scores)))
  const mass = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / mass)
}

/** Pearson's statistic against `expected` probabilities; tokens of probability 0 must not come at all. */
function expectFrequencies(counts: number[], expected: number[]): void {
  let statistic = 0
  let freedom = -1
  for (const [id, p] of expected.entries()) {
    if (p === 0) {
      expect(counts[id], `token ${id}`).toBe(0)
      continue
    }
    freedom++
    statistic += (counts[id] - p * DRAWS) ** 2 / (p * DRAWS)
  }
  // Mean k and variance 2k: five deviations above is a chance below 1e-4 for any k used here, and the seed is fixed.
  expect(statistic).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom) + 1e-9)
}

const logits = Float32Array.of(0.5, -1, 2, 0.5, 1.25, -3, 0)
const scores = Array.from(logits)

describe('draws', () => {
  it('follow the softmax of the logits', () => {
    expectFrequencies(frequencies(logits), softmax(scores))
  })

  it.for([0.5, 2])('follow the softmax of the logits over temperature %f', (temperature) => {
    expectFrequencies(
      frequencies(logits, { temperature }),
      softmax(scores.map((score) => score / temperature)),
    )
  })

  it('would fail that test at another temperature', () => {
    expect(() => expectFrequencies(frequencies(logits, { temperature: 1.1 }), softmax(scores))).toThrow()
  })

  it('keep to the k likeliest, of equals to the smaller ids', () => {
    const kept = (ids: number[]) => softmax(scores.map((score, id) => (ids.includes(id) ? score : -Infinity)))
    expectFrequencies(frequencies(logits, { topK: 2 }), kept([2, 4]))
    expectFrequencies(frequencies(logits, { topK: 3 }), kept([2, 4, 0]))
    expectFrequencies(frequencies(logits, { topK: 4 }), kept([2, 4, 0, 3]))
    expectFrequencies(frequencies(logits, { topK: 99 }), softmax(scores))
    expect(frequencies(logits, { topK: 1 })[2]).toBe(DRAWS)
  })

  it('keep to the nucleus: the fewest likeliest tokens with the probability asked for', () => {
    const probabilities = softmax(scores) // falling: 2, 4, 0, 3, 6, 1, 5
    const two = probabilities[2] + probabilities[4]
    const kept = (ids: number[]) => softmax(scores.map((score, id) => (ids.includes(id) ? score : -Infinity)))
    expectFrequencies(frequencies(logits, { topP: two - 0.001 }), kept([2, 4]))
    expectFrequencies(frequencies(logits, { topP: two + 0.001 }), kept([2, 4, 0]))
    expect(frequencies(logits, { topP: 1e-9 })[2]).toBe(DRAWS)
    expectFrequencies(frequencies(logits, { topP: 1 }), probabilities)
  })

  it('take the nucleus of what top-k left, at the temperature given', () => {
    const options = { topK: 3, topP: 0.9, temperature: 0.5 }
    const left = softmax([scores[2] / 0.5, scores[4] / 0.5, scores[0] / 0.5])
    expect(left[0] + left[1]).toBeGreaterThan(0.9)
    const pair = softmax([scores[2] / 0.5, scores[4] / 0.5])
    expectFrequencies(frequencies(logits, options), [0, 0, pair[0], 0, pair[1], 0, 0])
  })

  it('divide positive logits of the context by the penalty and multiply negative ones', () => {
    const penalised = [0.5, -2, 1, 0.5, 1.25, -3, 0]
    const options = { repetitionPenalty: 2 }
    expectFrequencies(frequencies(logits, options, [2, 1, 2, 2, 6]), softmax(penalised))
  })

  it('leave tokens outside the vocabulary aside', () => {
    const draw = (context: number[]) => sampleToken(logits, context, { repetitionPenalty: 2 }, new Random(3))
    expect(draw([-1, 7, 99, 0.5])).toBe(draw([]))
  })

  it('are the same for a seed', () => {
    const text = (seed: number) => {
      const random = new Random(seed)
      return Array.from({ length: 53 }, () => sampleToken(logits, [], {}, random))
    }
    expect(text(5)).toEqual(text(5))
    expect(text(5)).not.toEqual(text(6))
  })
})

describe('temperature 0', () => {
  it('takes the likeliest token, the first of equals, and no random number', () => {
    const random = new Random(1)
    expect(sampleToken(Float32Array.of(-2, 3, 1, 3), [], { temperature: 0 }, random)).toBe(1)
    expect(random.position).toBe(0)
  })

  it('takes it after the penalty', () => {
    const options = { temperature: 0, repetitionPenalty: 10 }
    expect(sampleToken(Float32Array.of(2, 3, 1), [1], options, new Random(1))).toBe(0)
  })

  it('is the limit of low temperatures, down to the smallest number', () => {
    for (const temperature of [1e-3, 1e-30, 5e-324])
      expect(sampleToken(logits, [], { temperature }, new Random(2))).toBe(2)
  })
})

it('a token that top-k and top-p keep comes back whatever the logits', () => {
  const values = fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 31 })
  const options = fc.record({
    temperature: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
    topK: fc.integer({ min: 1, max: 37 }),
    topP: fc.double({ min: 1e-6, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(values, options, fc.nat(1000), (list, given, seed) => {
      const ids = Array.from(list.keys()).sort((a, b) => list[b] - list[a] || a - b)
      const token = sampleToken(Float32Array.from(list), [], given, new Random(seed))
      expect(ids.indexOf(token)).toBeGreaterThanOrEqual(0)
      expect(ids.indexOf(token)).toBeLessThan(given.topK)
    }),
    { seed: 23, numRuns: 300 },
  )
})

describe('what cannot be sampled', () => {
  it.for([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('a logit %f', (value) => {
    for (const temperature of [0, 1])
      expect(() => sampleToken(Float32Array.of(0, 1, value, 2), [], { temperature }, new Random(0))).toThrow(
        `sample: logits must be finite, got ${value} for token 2; the model has diverged`,
      )
  })

  it('no logits', () => {
    expect(() => sampleToken(new Float32Array(), [], {}, new Random(0))).toThrow(
      'sample: logits must hold at least one token, got none',
    )
  })

  it.for<[SampleOptions, string]>([
    [{ temperature: -1 }, 'sample: temperature must be a finite number of at least 0, got -1'],
    [{ temperature: Number.NaN }, 'sample: temperature must be a finite number of at least 0, got NaN'],
    [
      { temperature: Number.POSITIVE_INFINITY },
      'temperature must be a finite number of at least 0, got Infinity',
    ],
    [{ topK: 0 }, 'sample: topK must be a whole number of at least 1, got 0; leave it out for all tokens'],
    [{ topK: 2.5 }, 'sample: topK must be a whole number of at least 1, got 2.5'],
    [{ topP: 0 }, 'sample: topP must be above 0 and at most 1, got 0'],
    [{ topP: 1.01 }, 'sample: topP must be above 0 and at most 1, got 1.01'],
    [{ topP: Number.NaN }, 'sample: topP must be above 0 and at most 1, got NaN'],
    [{ repetitionPenalty: 0 }, 'sample: repetitionPenalty must be a finite number above 0, got 0; 1 is none'],
    [{ repetitionPenalty: Number.NaN }, 'sample: repetitionPenalty must be a finite number above 0, got NaN'],
  ])('options %o', ([options, message]) => {
    expect(() => sampleToken(logits, [], options, new Random(0))).toThrow(message)
  })
})
