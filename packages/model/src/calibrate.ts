import { calibrateTau, type LaplacianTensor } from '@tau/attention'
import type { TauPolicy } from '@tau/graph'
import { concat, reshape, type Tensor } from '@tau/tensor'
import type { LayerProbe } from './attention-layer.ts'
import type { GPT } from './gpt.ts'

/** `median`, `mean` or `percentile:P` as @tau/graph's policy. */
export function parseTauPolicy(text: string): TauPolicy {
  const [name, value] = text.split(':')
  if (name === 'percentile') return { name, value: Number(value) }
  if (name === 'median' || name === 'mean') return { name }
  throw new Error(`tauPolicy: must be median, mean or percentile:P, got ${text}`)
}

/** Sets τ of every layer from the energies of its queries and keys in one batch, by the configuration's tauPolicy. Looks at
 *  all tokens of the batch, future ones too: for calibration, not inside a causal pass. Returns τ per layer.
 *  Throws for models whose τ is learned or given per vector. */
export async function calibrateModel(model: GPT, tokens: Tensor<'i32'>): Promise<number[]> {
  const { tauMode, tauPolicy } = model.config
  const { laplacian } = model
  const isSettable = tauMode === 'fixed' || tauMode === 'adaptive'
  if (model.config.attention !== 'tau' || !laplacian || !isSettable)
    throw new Error(
      `calibrate: τ must be fixed or adaptive in a tau model, got ${model.config.attention} attention with tauMode ${tauMode}`,
    )
  const policy = parseTauPolicy(tauPolicy)
  const taus: number[] = []
  // Layer by layer: the τ of one layer changes what the next one sees.
  for (const layer of model.attention) {
    layer.tau = await startCalibration(model, laplacian, tokens, taus.length, policy)
    taus.push(layer.tau)
  }
  return taus
}

function startCalibration(
  model: GPT,
  laplacian: LaplacianTensor,
  tokens: Tensor<'i32'>,
  layer: number,
  policy: TauPolicy,
): Promise<number> {
  using _scope = model.device.scope()
  const probes: LayerProbe[] = []
  model.forward(tokens, { probe: (probe) => probes.push(probe) })
  const { q, k } = probes[layer]
  const rows = ({ shape, size }: Tensor): [number, number] => [size / shape[3], shape[3]]
  const vectors = concat([reshape(q, rows(q)), reshape(k, rows(k))], 0)
  return calibrateTau(vectors, laplacian, policy, { eps: model.config.eps })
}
