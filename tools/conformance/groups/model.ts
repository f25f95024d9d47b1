import { KvCache, LaplacianTensor, TauCache } from '@tau/attention'
import { GPT, type ModelConfig, resolveConfig } from '@tau/model'
import { crossEntropy, type Device, grad, softcap } from '@tau/tensor'
import type { Fields, OracleArray, OracleCase } from '@tau/testing/oracle'
import type { Found } from '../compare.ts'
import { type Context, laplacianOf, type Runner, tensorOf } from '../context.ts'

const SOFTCAP = 15

/** The oracle's configuration in our terms. Scales are stored plain, as in the oracle. */
export function configOf(inputs: Fields, seqLen: number): ModelConfig {
  const config = inputs.fields('config')
  const weights = inputs.fields('weights')
  const kind = config.text('attention')
  const shared = {
    vocabSize: config.number('vocab_size'),
    seqLen,
    nLayer: config.number('n_layer'),
    nHead: config.number('n_head'),
    nKvHead: config.number('n_kv_head'),
    nEmbd: config.number('n_embd'),
    ropeBase: config.number('rope_base'),
    positiveAs: 'plain',
    softcap: SOFTCAP,
  } as const
  if (kind === 'dot')
    return resolveConfig({
      ...shared,
      preset: 'paper',
      attention: 'dot',
      qkLayerNorm: config.flag('qk_layernorm'),
    })
  const manifoldDim = inputs.fields('laplacian').number('size')
  const tau = { ...shared, attention: 'tau', manifoldDim, eps: config.number('eps') } as const
  if (kind === 'tau_gated') return resolveConfig({ ...tau, preset: 'default' })
  const policy = config.fields('tau')
  const modes = {
    fixed: 'fixed',
    reference_median: 'reference-median',
    reference_mean: 'reference-mean',
  } as const
  const name = policy.text('name')
  const tauMode = Object.entries(modes).find(([theirs]) => theirs === name)?.[1]
  if (!tauMode)
    throw new Error(
      `oracle: tau policy of a model must be one of ${Object.keys(modes).join(', ')}, got ${name}`,
    )
  const learnGamma = weights.has('blocks.0.attn.gamma')
  return resolveConfig({
    ...tau,
    preset: 'paper',
    temperature: config.number('temperature'),
    learnTemperature: weights.has('blocks.0.attn.temperature'),
    decay: learnGamma ? 'constant' : 'none',
    learnDecayRate: learnGamma,
    tauMode,
    tau: policy.optionalNumber('value') ?? 1,
  })
}

export function modelOf(device: Device, inputs: Fields, seqLen: number): GPT {
  const config = configOf(inputs, seqLen)
  const parameters = new Map(
    Array.from(inputs.fields('weights').arrays(), ([name, array]) => [name, tensorOf(device, array)]),
  )
  const laplacian =
    config.attention === 'tau'
      ? LaplacianTensor.from(device, laplacianOf(inputs.fields('laplacian')))
      : undefined
  return new GPT(device, config, parameters, laplacian)
}

export const model: Runner = async ({ inputs }, { device }) => {
  const tokensArray = inputs.array('tokens')
  const [batch, length] = tokensArray.shape
  using gpt = modelOf(device, inputs, length)
  const tokens = gpt.tokens(Int32Array.from(tokensArray.data), batch)
  const targets = gpt.targets(Int32Array.from(inputs.array('targets').data), batch)
  const hard = gpt.forward(tokens, { softcap: false })
  const parameters = Array.from(gpt.parameters.values())
  const { value, grads } = grad(() => gpt.loss(tokens, targets), parameters)
  const found: Record<string, Found> = {}
  for (const [i, name] of Array.from(gpt.parameters.keys()).entries()) found[name] = await grads[i].data()
  return {
    logits: await hard.data(),
    logits_softcap: await gpt.forward(tokens).data(),
    loss: await value.item(),
    loss_no_softcap: await crossEntropy(hard, targets).item(),
    grads: found,
  }
}

/** Prefill, then one token at a time. */
export async function decodeModel(fixture: OracleCase, { device, groups }: Context): Promise<Found> {
  const { inputs } = fixture
  const group = inputs.text('fixture').replace(/\.json$/, '')
  const source = groups.get(group)?.cases.find(({ name }) => name === inputs.text('case'))
  if (!source)
    throw new Error(
      `oracle: ${fixture.name} must refer to a case that exists, got ${group}/${inputs.text('case')}`,
    )
  const tokens = source.inputs.array('tokens')
  const [batch, length] = tokens.shape
  const prefix = inputs.number('prefix')
  using gpt = modelOf(device, source.inputs, length)
  using state = gpt.decodeState(batch)
  if (prefix > 0) gpt.forward(gpt.tokens(columns(tokens, 0, prefix), batch), { state })
  const steps: Float32Array[] = []
  const capped: Float32Array[] = []
  for (let t = prefix; t < length; t++) {
    const logits = gpt.forward(gpt.tokens(columns(tokens, t, t + 1), batch), { state, softcap: false })
    steps.push(await logits.data())
    capped.push(await softcap(logits, SOFTCAP).data())
  }
  const caches: Float32Array[] = []
  for (const { groups } of state.layers)
    for (const { cache } of groups) {
      const { own } = cache
      if (own instanceof TauCache) caches.push(await own.lambdaK().data())
      else if (own instanceof KvCache) caches.push(await own.k().data())
    }
  const name = gpt.config.attention === 'tau' ? 'cache_lambda_k' : 'cache_k'
  return { logits: joined(steps), logits_softcap: joined(capped), [name]: joined(caches) }
}

/** Columns start … end−1 of tokens [B, T], row-major. */
function columns({ shape, data }: OracleArray, start: number, end: number): Int32Array {
  const [batch, length] = shape
  const width = end - start
  return Int32Array.from(
    { length: batch * width },
    (_, i) => data[Math.floor(i / width) * length + start + (i % width)],
  )
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}
