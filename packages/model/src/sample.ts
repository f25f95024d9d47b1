import type { Random } from '@tau/tensor'

/** How the next token is chosen from the logits. */
export interface SampleOptions {
  /** Divides the logits. Lower is safer, higher is more varied, 0 always takes the likeliest token. Default
   *  1. */
  temperature?: number
  /** Chooses only among the k likeliest tokens. Default: all tokens. */
  topK?: number
  /** Chooses only among the likeliest tokens that together have this probability (nucleus sampling). Default
   *  1. */
  topP?: number
  /** Makes tokens of the context less likely: a positive logit is divided by this, a negative one multiplied.
   *  Default 1. Source: Keskar et al., CTRL (2019), section 4.1. */
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

/** Draws one token from logits [V]. Order of steps: repetition penalty, temperature, top-k, top-p, draw. If
 *  logits are equal, the smaller id wins. `context` holds the tokens for the penalty; ids outside the
 *  vocabulary are ignored. Throws if there are no logits, if one is not finite, or if an option is out of
 *  range. */
export function sampleToken(
  logits: Float32Array,
  context: Iterable<number>,
  options: SampleOptions,
  random: Random,
): number {
  checkSampleOptions(options)
  const { temperature = 1, repetitionPenalty = 1 } = options
  const scores = Float64Array.from(logits)
  if (scores.length === 0) throw new Error('sample: logits must hold at least one token, got none')
  const bad = scores.findIndex((score) => !Number.isFinite(score))
  if (bad >= 0)
    throw new Error(
      `sample: logits must be finite, got ${scores[bad]} for token ${bad}; the model has diverged`,
    )
  if (repetitionPenalty !== 1)
    for (const id of new Set(context))
      scores[id] = scores[id] > 0 ? scores[id] / repetitionPenalty : scores[id] * repetitionPenalty
  const best = scores.reduce((top, score, id) => (score > scores[top] ? id : top), 0)
  if (temperature === 0) return best

  const weights = scores.map((score) => Math.exp((score - scores[best]) / temperature))
  keepLikeliest(scores, weights, options)
  let draw = random.float() * weights.reduce((mass, weight) => mass + weight, 0)
  for (const [id, weight] of weights.entries()) {
    draw -= weight
    if (draw < 0) return id
  }
  return best // rounding left a remainder
}

/** Sets the weights of tokens outside top-k and top-p to 0. Sorts plain numbers, not ids, because that is
 *  faster. */
function keepLikeliest(
  scores: Float64Array,
  weights: Float64Array,
  { topK = scores.length, topP = 1 }: SampleOptions,
): void {
  if (topK >= scores.length && topP === 1) return
  const fallingScores = scores.toSorted().reverse()
  const falling = weights.toSorted().reverse().subarray(0, topK)
  const enough = topP * falling.reduce((mass, weight) => mass + weight, 0)
  let count = 0
  for (let mass = 0; count < falling.length && (count === 0 || mass < enough); ) mass += falling[count++]
  const cutoff = fallingScores[count - 1]
  let ties = fallingScores.subarray(0, count).filter((score) => score === cutoff).length
  scores.forEach((score, id) => {
    if (score < cutoff || (score === cutoff && ties-- <= 0)) weights[id] = 0
  })
}
