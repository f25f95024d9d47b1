import { type GPT, generate } from '@tau/model'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'

/** Texts that a run writes on the way. */
export interface SampleSettings {
  /** Text that samples continue. */
  readonly prompt: string
  /** Length of a sample, in tokens. */
  readonly tokens: number
  /** Below 1 safer, above 1 wilder, 0: always the likeliest token. */
  readonly temperature: number
  /** Only so many of the likeliest tokens; null: all. */
  readonly topK: number | null
}

export const defaultSampleSettings: SampleSettings = { prompt: '\n', tokens: 120, temperature: 0.8, topK: 40 }

/** The text of a sample at a step: same model, step and seed, same text. */
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
