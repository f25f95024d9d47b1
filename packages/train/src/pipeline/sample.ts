import { type GPT, generate } from '@tau/model'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'

/** Settings of the sample texts that a run generates. */
export interface SampleSettings {
  /** Text that samples continue. */
  readonly prompt: string
  /** Length of a sample, in tokens. */
  readonly tokens: number
  /** Sampling temperature: the logits are divided by it. Below 1 the likely tokens gain; 0 always takes the
   *  likeliest. */
  readonly temperature: number
  /** Number of likeliest tokens to choose from; null: all tokens. */
  readonly topK: number | null
}

export const defaultSampleSettings: SampleSettings = { prompt: '\n', tokens: 120, temperature: 0.8, topK: 40 }

/** Generates the sample of a step. The same model, step and seed give the same text. */
export async function sampleText(
  model: GPT,
  tokenizer: Tokenizer,
  { prompt, tokens, temperature, topK }: SampleSettings,
  seed: number,
  step: number,
): Promise<{ prompt: string; text: string }> {
  const decoder = tokenizer.decodeStream({ skipSpecialTokens: true })
  let text = ''
  const ids = generate(model, tokenizer.encode(prompt).slice(-model.config.seqLen), {
    maxTokens: tokens,
    temperature,
    ...(topK !== null && { topK }),
    seed: seed + step,
  })
  for await (const id of ids) text += decoder.push(id)
  return { prompt, text: text + decoder.end() }
}
