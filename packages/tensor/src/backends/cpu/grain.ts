/** Elements per tile of a memory-bound kernel: 128 KiB per operand, about 10 µs. It does not depend on the
 *  number of threads, so any number of threads gives the same bits. */
export const ELEMENT_GRAIN = 32_768

/** Rows per tile of a kernel that works row by row: about as many elements, at least one row. */
export const rowGrain = (cols: number, elements = ELEMENT_GRAIN): number =>
  Math.max(1, Math.floor(elements / Math.max(1, cols)))
