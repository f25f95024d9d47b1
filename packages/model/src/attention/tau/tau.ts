import { positiveSpec } from '../../parameters/spec.ts'
import { defineAttentionKind } from '../kind.ts'
import { LambdaAttention } from './lambda-attention.ts'
import { tauOptions } from './options.ts'

/** λ-distance attention: docs/definition.md, sections 2 and 3. */
export const tau = defineAttentionKind({
  name: 'tau',
  about: 'λ-distance attention',
  modelType: 'tau_gpt',
  architecture: 'TauGPT',
  needsLaplacian: true,
  hasBoundedCache: true,
  options: tauOptions,
  parameters: ({ heads, kvHeads, positiveAs }, { learnTemperature, temperature, tauMode, tau }) => [
    ...(learnTemperature ? [positiveSpec(positiveAs, 'temperature', heads, temperature)] : []),
    ...(tauMode === 'learned' ? [positiveSpec(positiveAs, 'tau', kvHeads, tau)] : []),
  ],
  create: (context, options) => new LambdaAttention(context, options),
  report: {
    heading: 'λ',
    about:
      'The energy of each head vector on the graph of the domain gives one number λ between 0 and 1. A query attends to keys with a similar λ. The reference reports that λ drifts down while the loss falls.',
  },
  distributions: [
    { name: 'lambdaQ', title: 'λ of queries', per: 'head' },
    { name: 'lambdaK', title: 'λ of keys', per: 'kv head' },
  ],
  scalars: [
    {
      name: 'temperature',
      title: 'Temperature',
      per: 'head',
      isLog: true,
      about:
        'λ-distances are divided by it. A head with a low temperature attends only to keys whose λ is close to that of the query.',
    },
    {
      name: 'tau',
      title: 'τ',
      per: 'kv head',
      isLog: true,
      about: 'The energy E that gives λ = E / (E + τ) = ½.',
    },
  ],
})
