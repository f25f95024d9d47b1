import type { Device } from '@tau/tensor'
import { type DecodeBench, expectNear } from '@tau/testing'
import type { ModelOptions } from './config/config.ts'
import { createModel } from './create.ts'
import type { DecodeState } from './decode-state.ts'
import { type GenerateOptions, generate } from './generate.ts'
import type { GPT } from './gpt.ts'
import { perturbParameters, randomIds, randomLaplacian } from './testing.ts'

const VOCABULARY = 2048
const HEAD_DIM = 32
/** Tokens generated after the prompt. A context of 200 plus 33 fits the 256 of nano. */
const MADE = 33
const options: GenerateOptions = { maxTokens: MADE, temperature: 0.8, topK: 50, seed: 1 }

/** Logits [V] of the last of `ids`, which continue the state. */
function lastLogits(model: GPT, ids: Int32Array, state?: DecodeState): Promise<Float32Array> {
  using _scope = model.device.scope()
  return model.forward(model.tokens(ids), { state, lastOnly: true }).data()
}

async function textOf(tokens: AsyncIterable<number>): Promise<number[]> {
  const text: number[] = []
  for await (const token of tokens) text.push(token)
  return text
}

function bench(what: string, model: ModelOptions, context: number, rival?: string): DecodeBench<Device> {
  const suffix = `context_${context}`
  return {
    name: `decode/${what}/${suffix}`,
    shape: `${MADE} tokens`,
    rival: rival === undefined ? undefined : { name: `decode/${rival}/${suffix}`, as: 'dot' },
    prepare(device) {
      const laplacian = randomLaplacian(HEAD_DIM)
      const gpt = createModel(device, { size: 'nano', ...model }, { laplacian, seed: 1 })
      const prompt = randomIds(context, VOCABULARY)
      const tokens = () => generate(gpt, prompt, options)
      let cacheBytes = 0
      return {
        tokens,
        cacheBytes: () => cacheBytes,
        /** Cached steps must give the logits of a full pass, and the same seed must give the same text. */
        async check() {
          await perturbParameters(gpt, 0.05) // new blocks are the identity, so a wrong cache would not show
          const text = await textOf(tokens())
          if (text.length !== MADE)
            throw new Error(`bench: the text must have ${MADE} tokens, got ${text.length}`)
          const again = await textOf(tokens())
          if (again.join() !== text.join())
            throw new Error(`bench: a seed must give one text, got ${text.join()} and ${again.join()}`)
          using state = gpt.decodeState()
          let cached = await lastLogits(gpt, prompt, state)
          for (const token of text) cached = await lastLogits(gpt, Int32Array.of(token), state)
          cacheBytes = state.cacheBytes
          const full = await lastLogits(gpt, Int32Array.of(...prompt, ...text))
          expectNear(cached, full, { atol: 3e-5 })
        },
      }
    },
  }
}

/** An untrained nano, at a quarter of its context and near its end. */
export const benches: readonly DecodeBench<Device>[] = [64, 200].flatMap((context) => [
  bench('nano-tau', { attention: 'tau' }, context, 'nano-dot'),
  bench('nano-dot', { attention: 'dot' }, context),
])
