/** Elements per tile of a memory-bound kernel: 128 KiB per operand, about 10 µs. Fixed, never a function of the thread
 *  count, so that the same tiles give the same bits. */
export const ELEMENT_GRAIN = 32_768

/** Rows per tile for kernels that work row by row: about as many elements, at least one row. */
export const rowGrain = (cols: number, elements = ELEMENT_GRAIN): number =>
  Math.max(1, Math.floor(elements / Math.max(1, cols)))
