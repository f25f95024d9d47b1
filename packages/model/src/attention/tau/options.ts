import { choice, flag, number, type OptionsOf, text } from '../../config/field.ts'

/** Options of λ-distance attention. */
export const tauOptions = {
  temperature: number({
    default: 0.05,
    presets: { paper: 1 },
    above: 0,
    help: 'Temperature of λ-distance attention; if it is learned, its start value',
  }),
  learnTemperature: flag({ default: true, presets: { paper: false }, help: 'Learn a temperature per head' }),
  tauMode: choice({
    of: ['fixed', 'learned', 'adaptive', 'reference-median', 'reference-mean'],
    default: 'learned',
    presets: { paper: 'fixed' },
    help: 'How τ of λ = E / (E + τ) is chosen: fixed, learned per kv head, adaptive (from the energies of a batch), or per vector as in the reference code',
  }),
  tau: number({
    default: 1,
    above: 0,
    help: 'Fixed value of τ, or its start value if it is learned or adaptive',
  }),
  tauPolicy: text({
    default: 'median',
    pattern: /^(median|mean|percentile:(0(\.\d+)?|1(\.0+)?))$/,
    rule: 'be median, mean or percentile:P with P from 0 to 1',
    help: 'Statistic of the energies of a batch that sets an adaptive τ: median, mean, or percentile:P with P from 0 to 1',
  }),
  eps: number({ default: 1e-6, above: 0, help: 'ε of the energy E = xᵀLx / (xᵀx + ε)' }),
} as const

export type TauOptions = OptionsOf<typeof tauOptions>
