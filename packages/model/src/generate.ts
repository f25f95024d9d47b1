import { Random } from '@tau/tensor'
import type { DecodeState, DecodeStateOptions } from './decode-state.ts'
import type { GPT } from './gpt.ts'
import { checkSampleOptions, type SampleOptions, sampleToken } from './sample.ts'

export interface GenerateOptions extends SampleOptions, DecodeStateOptions {
  /** Largest number of tokens to generate. Default 256. */
  maxTokens?: number
  /** Tokens that end the text. The stop token itself is not returned. */
  stopTokens?: readonly number[]
  /** Seed of the random choices. On one backend, the same seed gives the same text. Default 0. */
  seed?: number
  /** If it is aborted, the text ends before its next token, without an error. */
  signal?: AbortSignal
}

/** Continues `prompt` one token at a time. Decoding is cached, so each step computes only one position. If
 *  the context reaches seqLen, the newer half of it is read again, and generation continues. With
 *  `cache: 'bounded'` nothing is read again, and prompt and text may have any length. But the model was not
 *  trained on contexts beyond its seqLen.
 *
 *   Throws when the first token is requested, if the prompt is empty or longer than seqLen, or if ids or
 *   options are out of range. */
export async function* generate(
  model: GPT,
  prompt: Int32Array,
  options: GenerateOptions = {},
): AsyncGenerator<number, void, void> {
  const { maxTokens = 256, stopTokens = [], seed = 0, signal, cache, bins } = options
  const { seqLen } = model.config
  checkSampleOptions(options)
  if (!Number.isInteger(maxTokens) || maxTokens < 0)
    throw new RangeError(`generate: maxTokens must be a whole number of at least 0, got ${maxTokens}`)
  if (prompt.length === 0)
    throw new RangeError('generate: prompt must hold at least one token, got none; start with a newline')
  if (prompt.length > seqLen && cache !== 'bounded')
    throw new RangeError(
      `generate: prompt must have at most seqLen = ${seqLen} tokens, got ${prompt.length}; shorten it${model.hasBoundedCache ? ' or use a bounded cache' : ''}`,
    )

  const random = new Random(seed)
  const context = Array.from(prompt)
  const newState = () => model.decodeState(1, { cache, bins })
  let state = newState()
  try {
    let next = prompt
    for (let made = 0; made < maxTokens && !signal?.aborted; made++) {
      if (state.length + next.length > state.maxLength) {
        state[Symbol.dispose]()
        state = newState()
        next = Int32Array.from(context.slice(-Math.max(1, seqLen >> 1)))
      }
      // A long prompt is read in parts, so its activations take at most the memory of seqLen tokens.
      for (; next.length > seqLen; next = next.subarray(seqLen))
        await lastLogits(model, next.subarray(0, seqLen), state)
      const token = sampleToken(await lastLogits(model, next, state), context, options, random)
      if (stopTokens.includes(token)) return
      context.push(token)
      next = Int32Array.of(token)
      yield token
    }
  } finally {
    state[Symbol.dispose]()
  }
}

/** Logits [V] of the newest position. The read starts before the scope closes, so no scope is open between
 *  steps. */
function lastLogits(model: GPT, ids: Int32Array, state: DecodeState): Promise<Float32Array> {
  using _scope = model.device.scope()
  return model.forward(model.tokens(ids), { state, lastOnly: true }).data() // [1, 1, V]
}
