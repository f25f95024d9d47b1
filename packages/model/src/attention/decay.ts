import { constantDecay, forgetGateDecay, type LogDecay } from '@tau/attention'
import { add, linear, permute, reshape, type Tensor } from '@tau/tensor'
import type { ModelConfig } from '../config/model-config.ts'
import { type ParameterSpec, positiveSpec, positiveValues } from '../parameters/spec.ts'

// The decay of older keys. All kinds of attention share it.

/** Biases of the forget gate, evenly spread over the heads. So each head forgets on its own scale: half-lives
 *  go from about 1.5 tokens to about 170. */
const FORGET_BIAS = { first: 0.5, last: 5.5 } as const

/** Name of the rate among the parameters. It is older than the name in the configuration. */
const RATE = 'gamma'

type DecayConfig = Pick<ModelConfig, 'decay' | 'decayRate' | 'learnDecayRate' | 'positiveAs' | 'nEmbd'>

/** Parameters of the decay of `heads` query heads. */
export function decaySpecs(config: DecayConfig, heads: number): ParameterSpec[] {
  const { decay, decayRate, learnDecayRate, positiveAs, nEmbd } = config
  if (decay === 'constant' && learnDecayRate) return [positiveSpec(positiveAs, RATE, heads, decayRate)]
  if (decay !== 'forget-gate') return []
  return [
    { name: 'c_f.weight', shape: [heads, nEmbd], init: { kind: 'zeros' } },
    { name: 'c_f.bias', shape: [heads], init: { kind: 'spread', ...FORGET_BIAS } },
  ]
}

/** Cumulative decay [B, H, T] of the positions x [B, T, C] from `start` on. It continues from `before` [B, H,
 *  1]. Undefined without decay. */
export function decayOf(
  config: DecayConfig,
  heads: number,
  parameter: (name: string) => Tensor,
  x: Tensor,
  start: number,
  before: LogDecay | undefined,
): LogDecay | undefined {
  const { decay, decayRate, learnDecayRate, positiveAs } = config
  const [batch, length] = x.shape
  if (decay === 'none') return undefined
  if (decay === 'constant') {
    const rate = learnDecayRate
      ? positiveValues(positiveAs, RATE, parameter)
      : x.device.tensor(new Float32Array(heads).fill(decayRate), [heads])
    const { high, low } = constantDecay(rate, length, start)
    const zeros = x.device.tensor(new Float32Array(batch), [batch, 1, 1])
    const perSequence = (part: Tensor) => add(reshape(part, [1, heads, length]), zeros)
    return { high: perSequence(high), low: perSequence(low) }
  }
  const logits = add(linear(x, parameter('c_f.weight')), parameter('c_f.bias')) // [B, T, H]
  return forgetGateDecay(permute(logits, [0, 2, 1]), before)
}
