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
      'Each head vector is turned into one number λ between 0 and 1, its energy on the domain’s graph; attention looks from a query to keys of similar λ. The reference reports that λ drifts down as the loss falls.',
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
        'λ-distances are divided by it: a colder head looks only at keys whose λ is close to the query’s.',
    },
    {
      name: 'tau',
      title: 'τ',
      per: 'kv head',
      isLog: true,
      about: 'λ = E / (E + τ): the energy that is mapped to λ = ½.',
    },
  ],
})
