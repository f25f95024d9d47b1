/** Fixed addresses of the shared memory. Modules have no static data (`tau-kernel build` checks it), so the first
 *  64 KiB page is ours: a control block, then the arguments of the running job.
 *
 *  | bytes           | holds                                             |
 *  | --------------- | ------------------------------------------------- |
 *  | 0 … 64 Ki       | control words, job arguments, error text; at      |
 *  |                 | 40 960 the constants of assembly/constants.ts     |
 *  | 64 Ki …         | one workspace per thread, then the heap           |
 */
export const PAGE_BYTES = 65_536
/** The most bytes that a cpu device can have. A buffer that ends at 2³² would end at 0 in a kernel, so the
 *  last cache line of the largest WebAssembly memory stays unused. */
export const MAX_CPU_BYTES = 2 ** 32 - 64
export const CONTROL_ADDRESS = 32_768
export const ARGS_ADDRESS = 33_024
export const MAX_ARGS = 32
export const ERROR_ADDRESS = 36_864
export const ERROR_BYTES = 1_024
export const WORKSPACE_ADDRESS = 65_536
/** Scratch memory per thread. The packed panels of matmul need the most. */
export const WORKSPACE_BYTES = 4 << 20
/** Address of the heap, after the workspaces. */
export const heapStart = (threads: number): number => WORKSPACE_ADDRESS + threads * WORKSPACE_BYTES

/** Indices of the 32-bit control words. */
export const Word = {
  /** Tiles of the running job that no thread has taken yet; ≤ 0 if there is none. */
  ticket: 0,
  done: 1,
  /** Counts jobs; sleeping workers wait on it. */
  generation: 2,
  sleepers: 3,
  stop: 4,
  /** Length of a worker's error text; 0 if there was no error. */
  error: 5,
  module: 6,
  kernel: 7,
  argCount: 8,
  count: 9,
  grain: 10,
  moduleBytes: 11,
  moduleLength: 12,
} as const
