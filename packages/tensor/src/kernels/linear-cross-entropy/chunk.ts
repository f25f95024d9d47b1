/** Number of logits in memory at a time: 48 MB of f32. */
const MAX_LOGITS = 12_000_000
/** Depth of matmul's packed panels. With chunks of whole panels, dW needs no more passes than one product. */
const PANEL = 384
/** If the chunk size is a multiple of this, sums over chunks have the bits of one product. */
const STEP = 8

/** Number of tokens per chunk of the loss over `cols` classes. It depends only on `cols`, and so do the bits
 *  of dW. */
export function chunkRows(cols: number): number {
  const fit = Math.floor(MAX_LOGITS / Math.max(1, cols))
  const step = fit >= PANEL ? PANEL : STEP
  return Math.max(step, fit - (fit % step))
}
