import { choice, flag, number, type OptionsOf, text } from '../../config/field.ts'

/** Options of λ-distance attention. */
export const tauOptions = {
  temperature: number({
    default: 0.05,
    presets: { paper: 1 },
    above: 0,
    help: 'Attention temperature per head, or where learning it starts',
  }),
  learnTemperature: flag({ default: true, presets: { paper: false }, help: 'Learn the temperature' }),
  tauMode: choice({
    of: ['fixed', 'learned', 'adaptive', 'reference-median', 'reference-mean'],
    default: 'learned',
    presets: { paper: 'fixed' },
    help: 'Where τ of λ = E / (E + τ) comes from',
  }),
  tau: number({ default: 1, above: 0, help: 'τ, or where it starts' }),
  tauPolicy: text({
    default: 'median',
    pattern: /^(median|mean|percentile:(0(\.\d+)?|1(\.0+)?))$/,
    rule: 'be median, mean or percentile:P with P from 0 to 1',
    help: 'Adaptive τ from a batch’s energies: median, mean, percentile:P with P from 0 to 1',
  }),
  eps: number({ default: 1e-6, above: 0, help: 'ε of the Rayleigh quotient' }),
} as const

export type TauOptions = OptionsOf<typeof tauOptions>
