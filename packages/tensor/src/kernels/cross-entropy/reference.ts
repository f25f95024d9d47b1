/** Mean over the rows with a target ≥ 0 of log Σ e^logits − logits[target]; 0 without such a row, NaN for a target beyond. */
export function crossEntropyReference(
  logits: Float64Array,
  targets: ArrayLike<number>,
  cols: number,
): number {
  let sum = 0
  let count = 0
  for (let row = 0; row < targets.length; row++) {
    if (targets[row] < 0) continue
    const scores = logits.subarray(row * cols, (row + 1) * cols)
    const peak = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
    const total = scores.reduce((partial, score) => partial + Math.exp(score - peak), 0)
    sum += targets[row] < cols ? peak - scores[targets[row]] + Math.log(total) : Number.NaN
    count++
  }
  return count > 0 ? sum / count : 0
}
