import type { Random } from '@tau/tensor'

/** How the next token is chosen from the logits. */
export interface SampleOptions {
  /** Divides the logits: below 1 bolder, above 1 wilder; 0 always takes the likeliest. Default 1. */
  temperature?: number
  /** Only the k likeliest tokens; default all. */
  topK?: number
  /** Only the likeliest tokens that together have this probability (nucleus); default 1. */
  topP?: number
  /** Logits of tokens in the context are divided by this where positive, multiplied where negative; default 1.
   *  Source: Keskar et al., CTRL (2019), section 4.1. */
  repetitionPenalty?: number
}

export function checkSampleOptions({
  temperature = 1,
  topK,
  topP = 1,
  repetitionPenalty = 1,
}: SampleOptions): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new RangeError(`sample: temperature must be a finite number of at least 0, got ${temperature}`)
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1))
    throw new RangeError(
      `sample: topK must be a whole number of at least 1, got ${topK}; leave it out for all tokens`,
    )
  if (!(topP > 0 && topP <= 1))
    throw new RangeError(`sample: topP must be above 0 and at most 1, got ${topP}`)
  if (!(repetitionPenalty > 0 && Number.isFinite(repetitionPenalty)))
    throw new RangeError(
      `sample: repetitionPenalty must be a finite number above 0, got ${repetitionPenalty}; 1 is none`,
    )
}

/** One token from logits [V]. Order of steps: repetition penalty, temperature, top-k, top-p, draw. Ties go to the smaller id.
 *  Throws when the logits are not finite. */
export function sampleToken(
  logits: Float32Array,
  context: Iterable<number>,
  options: SampleOptions,
  random: Random,
): number {
  const { temperature = 1, topK = logits.length, topP = 1, repetitionPenalty = 1 } = options
  const scores = Float64Array.from(logits)
  const bad = scores.findIndex((score) => !Number.isFinite(score))
  if (bad >= 0)
    throw new Error(
      `sample: logits must be finite, got ${scores[bad]} for token ${bad}; the model has diverged`,
    )
  if (repetitionPenalty !== 1)
    for (const id of new Set(context))
      scores[id] = scores[id] > 0 ? scores[id] / repetitionPenalty : scores[id] * repetitionPenalty
  if (temperature === 0) return scores.reduce((best, score, id) => (score > scores[best] ? id : best), 0)

  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b)
  const kept = order.slice(0, topK)
  const weights = kept.map((id) => Math.exp((scores[id] - scores[order[0]]) / temperature))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let count = 0
  let mass = 0
  while (count < kept.length && (count === 0 || mass < topP * total)) mass += weights[count++]
  let draw = random.float() * mass
  for (let i = 0; i < count; i++) {
    draw -= weights[i]
    if (draw < 0) return kept[i]
  }
  return kept[count - 1] // rounding left a remainder
}
