import { csrFromDense } from '@tau/graph'
import { createModel, type DecodeState, type GPT } from '@tau/model'
import { type Device, Random } from '@tau/tensor'
import { inScopes } from '../harness/devices.ts'

// The paper's experiment: generation by models of tau-30m's shape, token by token, with a cache and without.
// A run that makes 2048 tokens makes 128 on the way, so one run per prompt gives the figures of all lengths.

export const PROMPTS = [384, 768, 1152] as const
export const GENERATED = [128, 256, 512, 1024, 2048] as const
export type Attention = 'tau' | 'dot'
export type Mode = 'kv_cache' | 'no_cache'
/** Full passes in a run of the quick selection, spread evenly over the run. */
const QUICK_PASSES = 16

export interface TokenTime {
  readonly attention: Attention
  readonly mode: Mode
  readonly prompt: number
  /** 0 is the first token. With a cache, its time includes the prompt. */
  readonly token: number
  readonly ms: number
  readonly cacheBytes: number
}

interface ModelRunOptions {
  readonly quick: boolean
  /** Called with every token as it comes, and with the share of the estimated cost that is done. */
  readonly onToken: (token: TokenTime, share: number) => void
}

/** The Laplacian of a ring: its λ spread over (0, 1). A domain's Laplacian would change no time. */
function ringLaplacian(size: number) {
  const data = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    data[i * size + i] = 2
    for (const j of [(i + 1) % size, (i + size - 1) % size]) data[i * size + j] = -1
  }
  return csrFromDense({ data, rows: size, cols: size })
}

/** A model of tau-30m's shape with random weights. Only the decay's values change times, and the decay starts
 *  as in training. */
function randomModel(device: Device, attention: Attention): GPT {
  const seqLen = PROMPTS[PROMPTS.length - 1] + GENERATED[GENERATED.length - 1]
  return createModel(
    device,
    { size: 'tau-30m', attention, seqLen },
    { laplacian: ringLaplacian(64), seed: 1 },
  )
}

async function timePass(model: GPT, ids: Int32Array, state?: DecodeState): Promise<number> {
  const scope = model.device.scope()
  const start = performance.now()
  let logits: Promise<Float32Array>
  try {
    logits = model.forward(model.tokens(ids), { state, lastOnly: true }).data()
  } finally {
    scope[Symbol.dispose]()
  }
  await logits
  return performance.now() - start
}

interface Step {
  readonly mode: Mode
  readonly prompt: number
  readonly token: number
  /** Estimated cost, in passes over one token. */
  readonly cost: number
}

/** What the weights and the dispatch of a single token cost, in tokens of a long pass. */
const TOKEN_COST = 20

function stepsOf(mode: Mode, prompt: number, quick: boolean): Step[] {
  const last = GENERATED[GENERATED.length - 1]
  const stride = mode === 'no_cache' && quick ? last / QUICK_PASSES : 1
  return Array.from({ length: last / stride }, (_, i) => {
    const token = i * stride
    return {
      ...{ mode, prompt, token },
      cost: mode === 'no_cache' ? prompt + token : token === 0 ? prompt : TOKEN_COST,
    }
  })
}

/** Both models take turns, token by token. */
export async function runModels(device: Device, { quick, onToken }: ModelRunOptions): Promise<void> {
  const modes: readonly Mode[] = ['kv_cache', 'no_cache']
  const runs = modes.flatMap((mode) => PROMPTS.map((prompt) => stepsOf(mode, prompt, quick)))
  const total = runs.flat().reduce((sum, { cost }) => sum + cost, 0)
  let done = 0
  await inScopes([device], async () => {
    const models = (['tau', 'dot'] as const).map((attention) => ({
      attention,
      model: randomModel(device, attention),
    }))
    const random = new Random(3)
    const ids = Int32Array.from({ length: models[0].model.config.seqLen }, () =>
      random.integer(models[0].model.config.vocabSize),
    )
    for (const { model } of models) await timePass(model, ids.subarray(0, 64)) // compiles
    for (const steps of runs) {
      const states = models.map(({ model }) => model.decodeState())
      try {
        for (const { mode, prompt, token, cost } of steps) {
          done += cost
          for (let i = 0; i < models.length; i++) {
            const turn = (i + token) % models.length
            const { attention, model } = models[turn]
            const cached = mode === 'kv_cache'
            const from = cached && token > 0 ? prompt + token - 1 : 0
            const ms = await timePass(
              model,
              ids.slice(from, prompt + token),
              cached ? states[turn] : undefined,
            )
            const cacheBytes = cached ? states[turn].cacheBytes : 0
            onToken({ attention, mode, prompt, token, ms, cacheBytes }, done / total)
          }
        }
      } finally {
        for (const state of states) state[Symbol.dispose]()
      }
    }
  })
}
