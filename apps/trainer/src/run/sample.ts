import { type GPT, generate } from '@tau/model'
import type { Tokenizer } from '@tau/train'
import type { Config } from '../config/schema.ts'

/** The text of a sample: same model, step and seed, same text. */
export async function sampleText(
  model: GPT,
  tokenizer: Tokenizer,
  { sample, train: { seed } }: Config,
  step: number,
): Promise<{ prompt: string; text: string }> {
  const { prompt, tokens, temperature, topK } = sample
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
