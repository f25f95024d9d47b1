import { cpu, type Device, gpu } from '@tau/tensor'
import { describeDevices } from '@tau/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type GenerateOptions, generate } from './generate.ts'
import type { GPT } from './gpt.ts'
import { randomIds, tiny, tinyModel } from './testing.ts'

const prompt = Int32Array.of(3, 1, 4, 1, 5)

async function text(model: GPT, options: GenerateOptions, start: Int32Array = prompt): Promise<number[]> {
  const tokens: number[] = []
  for await (const token of generate(model, start, options)) tokens.push(token)
  return tokens
}

/** Greedy continuation from full passes: nothing cached. `context` maps the text so far to what the model reads. */
async function greedy(model: GPT, length: number, context: (text: number[]) => number[]): Promise<number[]> {
  const tokens = Array.from(prompt)
  for (let i = 0; i < length; i++) {
    const logits = await (() => {
      using _scope = model.device.scope()
      const ids = model.tokens(Int32Array.from(context(tokens)))
      return model.forward(ids, { lastOnly: true }).data()
    })()
    tokens.push(logits.indexOf(Math.max(...logits)))
  }
  return tokens.slice(prompt.length)
}

describeDevices(
  'generate',
  { cpu, gpu },
  (device) => {
    it.for(['tau', 'dot'] as const)('%s: continues as full passes over the text would', async (attention) => {
      using model = await tinyModel(device(), { attention, seqLen: 30 })
      const found = await text(model, { temperature: 0, maxTokens: 20 })
      expect(found).toEqual(await greedy(model, 20, (tokens) => tokens))
      expect(new Set(found).size).toBeGreaterThan(1)
    })

    it('reads the newer half of the context again when it is full', async () => {
      using model = await tinyModel(device(), { seqLen: 8 })
      // 5 tokens of prompt; reads grow to 8, then start again from the newest 4.
      let read = 0
      const expected = await greedy(model, 20, (tokens) => {
        read = read === 0 ? tokens.length : read === 8 ? 4 : read + 1
        return tokens.slice(-read)
      })
      expect(await text(model, { temperature: 0, maxTokens: 20 })).toEqual(expected)
    })
  },
  ['cpu plain 1 thread', 'cpu relaxed 2 threads', 'gpu.js cpu'],
)

describe('generate', () => {
  let device: Device
  let model: GPT
  let before: Device['memory']
  beforeAll(async () => {
    device = await cpu({ threads: 1 })
    model = await tinyModel(device)
  })
  afterAll(async () => {
    model[Symbol.dispose]()
    await device.close()
  })
  // Whatever happens in a test, no state is left behind.
  beforeEach(() => {
    before = device.memory
  })
  afterEach(() => {
    expect(device.memory).toEqual(before)
  })

  it('gives the same text for a seed and another for another', async () => {
    const options = { maxTokens: 40, temperature: 1.5 }
    const [a, b, c] = [
      await text(model, options),
      await text(model, options),
      await text(model, { ...options, seed: 1 }),
    ]
    expect(a).toHaveLength(40)
    expect(a.every((id) => Number.isInteger(id) && id >= 0 && id < tiny.vocabSize)).toBe(true)
    expect(b).toEqual(a)
    expect(c).not.toEqual(a)
  })

  it('is the same text whoever else generates at the same time', async () => {
    const alone = await text(model, { maxTokens: 12 })
    const together = await Promise.all([
      text(model, { maxTokens: 12 }),
      text(model, { maxTokens: 20, seed: 9 }, Int32Array.of(2)),
      text(model, { maxTokens: 12 }),
    ])
    expect(together[0]).toEqual(alone)
    expect(together[2]).toEqual(alone)
  })

  it('leaves the memory to itself inside an open scope', async () => {
    const tokens = generate(model, prompt, { maxTokens: 3 })
    const alone = await text(model, { maxTokens: 3 })
    const inside: number[] = []
    for (let i = 0; i < 3; i++) {
      const next = (() => {
        using _scope = device.scope() // closes before the token arrives
        return tokens.next()
      })()
      const { value } = await next
      if (typeof value === 'number') inside.push(value)
    }
    expect(inside).toEqual(alone)
    expect((await tokens.next()).done).toBe(true)
  })

  it('stops at maxTokens, 256 unless given', async () => {
    expect(await text(model, { maxTokens: 0 })).toEqual([])
    expect(await text(model, { maxTokens: 1 })).toHaveLength(1)
    expect(await text(model, {})).toHaveLength(256)
  })

  it('ends before a stop token', async () => {
    const whole = await text(model, { maxTokens: 40, temperature: 1.5 })
    const stop = whole[11]
    const end = whole.indexOf(stop)
    const options = { maxTokens: 40, temperature: 1.5, stopTokens: [tiny.vocabSize + 5, stop] }
    expect(await text(model, options)).toEqual(whole.slice(0, end))
  })

  it('obeys the options of sampling', async () => {
    const greedy = await text(model, { maxTokens: 9, temperature: 0 })
    expect(await text(model, { maxTokens: 9, topK: 1, seed: 4 })).toEqual(greedy)
    expect(await text(model, { maxTokens: 9, topP: 1e-6, seed: 4 })).toEqual(greedy)
    // Logits are at most 15 by the soft cap: a penalty of 1e6 forbids what was said while anything positive is left.
    const fresh = await text(model, { maxTokens: 5, temperature: 0, repetitionPenalty: 1e6 })
    expect(new Set([...fresh, ...prompt]).size).toBe(5 + new Set(prompt).size)
  })

  it('ends when the signal says so', async () => {
    expect(await text(model, { signal: AbortSignal.abort() })).toEqual([])
    const controller = new AbortController()
    const tokens: number[] = []
    for await (const token of generate(model, prompt, { signal: controller.signal })) {
      tokens.push(token)
      if (tokens.length === 7) controller.abort()
    }
    expect(tokens).toHaveLength(7)
  })

  it('frees its state when the reader breaks out, throws or returns', async () => {
    for await (const token of generate(model, prompt)) {
      expect(device.memory.liveBuffers).toBeGreaterThan(before.liveBuffers)
      if (token >= 0) break
    }
    expect(device.memory).toEqual(before)
    const reading = async () => {
      for await (const token of generate(model, prompt)) throw new Error(`unread ${token}`)
    }
    await expect(reading()).rejects.toThrow('unread')
    expect(device.memory).toEqual(before)
    const tokens = generate(model, prompt)
    await tokens.next()
    await tokens.return()
    expect(device.memory).toEqual(before)
  })

  it('takes a prompt of seqLen tokens, and a model of one position', async () => {
    expect(await text(model, { maxTokens: 3 }, randomIds(13, tiny.vocabSize))).toHaveLength(3)
    using single = await tinyModel(device, { seqLen: 1 })
    expect(await text(single, { maxTokens: 3 }, Int32Array.of(2))).toHaveLength(3)
  })

  it('bounded: reads and writes beyond seqLen, as a model with room for all of it would', async () => {
    const start = randomIds(29, tiny.vocabSize)
    const options = { temperature: 0, maxTokens: 40 }
    using roomy = await tinyModel(device, { seqLen: 100 })
    const expected = await text(roomy, options, start)
    expect(new Set(expected).size).toBeGreaterThan(1)
    expect(await text(model, { ...options, cache: 'bounded', bins: 16_384 }, start)).toEqual(expected)
  })

  it.for<[string, Int32Array, GenerateOptions, string]>([
    ['no prompt', new Int32Array(0), {}, 'generate: prompt must hold at least one token, got none'],
    [
      'a long prompt',
      randomIds(14, 23),
      {},
      'generate: prompt must have at most seqLen = 13 tokens, got 14; shorten it',
    ],
    [
      'an id beyond the vocabulary',
      Int32Array.of(3, 23),
      {},
      'tokens: ids must be between 0 and 22, got 23 at 1',
    ],
    [
      'a negative number of tokens',
      prompt,
      { maxTokens: -1 },
      'generate: maxTokens must be a whole number of at least 0, got -1',
    ],
    [
      'part of a token',
      prompt,
      { maxTokens: 1.5 },
      'maxTokens must be a whole number of at least 0, got 1.5',
    ],
    [
      'sampling out of range',
      prompt,
      { topK: 0 },
      'sample: topK must be a whole number of at least 1, got 0',
    ],
    [
      'a seed below 0',
      prompt,
      { seed: -1 },
      'random: seed must be a whole number from 0 to 2^53 - 1, got -1',
    ],
  ])('refuses %s', async ([, start, options, message]) => {
    await expect(text(model, options, start)).rejects.toThrow(message)
  })

  it('refuses to guess when the model has diverged', async () => {
    using broken = await tinyModel(device)
    const head = broken.parameters.get('lm_head.weight')
    head?.write(new Float32Array(head.size).fill(Number.NaN))
    await expect(text(broken, {})).rejects.toThrow('sample: logits must be finite, got NaN for token 0')
  })
})
