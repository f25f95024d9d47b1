/** Text for gpu.js kernels that update parameters by gradients. Their argument `norm` holds the global
 *  norm. */

/** Whether the norm is finite, as a comparison, because no shader compiler removes it. */
export const IF_NORM_IS_FINITE = 'if (Math.abs(norm[0]) <= 3.4028234e38)'

/** The thread's element of `grad`, scaled so that the global norm is at most `maxNorm`. */
export const CLIPPED_GRADIENT = 'grad[this.thread.x] * Math.min(1, maxNorm / (norm[0] + 0.000001))'
