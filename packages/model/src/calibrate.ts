import type { Tensor } from '@tau/tensor'
import type { HeadGroupAttention } from './attention/group.ts'
import type { LayerProbe } from './attention/layer.ts'
import type { GPT } from './gpt.ts'

/** Whether training recalibrates the model on a schedule. It does so for τ with tauMode `adaptive`. */
export const recalibrates = ({ attention }: GPT): boolean =>
  attention.some(({ groups }) => groups.some((group) => group.attention.recalibrates === true))

/** Sets the numbers that the kinds of attention take from a batch. For λ-attention this is τ of every layer,
 *  by tauPolicy, from the energies of its queries and keys. It uses all tokens of the batch, also later ones.
 *  So call it for calibration, never inside a causal pass. Returns the numbers in the order of layers and
 *  groups. Throws if the model has no such numbers, for example if τ is learned, or if each vector has its
 *  own τ. */
export async function calibrateModel(model: GPT, tokens: Tensor<'i32'>): Promise<number[]> {
  const found: number[] = []
  // Layer by layer, because τ of one layer changes the input of the next.
  for (const [layer, { groups }] of model.attention.entries())
    for (const [i, group] of groups.entries())
      if (group.attention.calibrate) found.push(await calibrateGroup(model, tokens, group, layer, i))
  if (found.length === 0)
    throw new Error(
      `calibrate: τ must be fixed or adaptive in a tau model, got ${model.config.attention} attention with tauMode ${model.config.tauMode ?? 'none'}`,
    )
  return found
}

function calibrateGroup(
  model: GPT,
  tokens: Tensor<'i32'>,
  { attention }: HeadGroupAttention,
  layer: number,
  group: number,
): Promise<number> {
  using _scope = model.device.scope()
  let seen: LayerProbe | undefined
  model.forward(tokens, {
    probe: (probe) => {
      if (probe.layer === layer && probe.group === group) seen = probe
    },
  })
  if (!seen || !attention.calibrate) throw new Error('internal: a group that is calibrated must be probed')
  return attention.calibrate(seen.q, seen.k)
}
