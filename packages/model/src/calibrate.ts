import type { Tensor } from '@tau/tensor'
import type { HeadGroupAttention } from './attention/group.ts'
import type { LayerProbe } from './attention/layer.ts'
import type { GPT } from './gpt.ts'

/** Whether training sets numbers of the model from a batch again and again: τ with tauMode `adaptive`. */
export const recalibrates = ({ attention }: GPT): boolean =>
  attention.some(({ groups }) => groups.some((group) => group.attention.recalibrates === true))

/** Sets what the kinds of attention take from a batch: τ of every layer, by tauPolicy, from the energies of its queries and keys. Looks
 *  at all tokens of the batch, future ones too: for calibration, not inside a causal pass. Returns the numbers in the order of
 *  layers and groups. Throws if the model has none, as when τ is learned or each vector's own. */
export async function calibrateModel(model: GPT, tokens: Tensor<'i32'>): Promise<number[]> {
  const found: number[] = []
  // Layer by layer: the τ of one layer changes what the next one sees.
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
