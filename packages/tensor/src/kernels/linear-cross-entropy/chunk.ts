/** Logits held at a time: 48 MB of f32. */
const MAX_LOGITS = 12_000_000
/** Depth of matmul's packed panels: chunks of whole panels cost dW no pass more than one product does. */
const PANEL = 384
/** Sums over chunks of a multiple of this have the bits of one product. */
const STEP = 8

/** Tokens in a chunk of the loss over `cols` classes: a function of the size only, and so are the bits of dW. */
export function chunkRows(cols: number): number {
  const fit = Math.floor(MAX_LOGITS / Math.max(1, cols))
  const step = fit >= PANEL ? PANEL : STEP
  return Math.max(step, fit - (fit % step))
}
