/** c_t = previous − Σ_{s ≤ t} log σ(logit_s) for rows of `length` logits, in f64. */
export function forgetGateDecayReference(
  logits: Float64Array,
  previous: Float64Array,
  length: number,
): Float64Array {
  const out = new Float64Array(logits.length)
  for (let i = 0; i < out.length; i++) {
    const before = i % length === 0 ? previous[i / length] : out[i - 1]
    out[i] = before + Math.log1p(Math.exp(-logits[i]))
  }
  return out
}
