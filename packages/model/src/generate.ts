import { Random } from '@tau/tensor'
import type { DecodeState, DecodeStateOptions } from './decode-state.ts'
import type { GPT } from './gpt.ts'
import { checkSampleOptions, type SampleOptions, sampleToken } from './sample.ts'

export interface GenerateOptions extends SampleOptions, DecodeStateOptions {
  /** Tokens to make at most. Default 256. */
  maxTokens?: number
  /** Ends the text; the stop token itself is not given out. */
  stopTokens?: readonly number[]
  /** Same seed, same text, on one backend. Default 0. */
  seed?: number
  /** Ends the text before its next token, without an error. */
  signal?: AbortSignal
}

/** Continues `prompt` one token at a time, with cached decoding: each step costs one position. When the context reaches the
 *  model's seqLen, the newer half of it is read in again and generation goes on. With `cache: 'bounded'` nothing is read again: prompt and
 *  text may be of any length, though a model has learned nothing of contexts beyond its seqLen.
 *  Errors come with the first token asked for: an empty prompt, one longer than seqLen, ids or options out of range. */
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
      // A long prompt is read in parts, so that its activations take no more memory than seqLen tokens do.
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

/** Logits of the newest position. Starts the read before the scope closes, so that no scope is open between steps. */
function lastLogits(model: GPT, ids: Int32Array, state: DecodeState): Promise<Float32Array> {
  using _scope = model.device.scope()
  return model.forward(model.tokens(ids), { state, lastOnly: true }).data() // [1, 1, V]
}
