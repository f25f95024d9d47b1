import type { Handle } from '@tau/tensor/kernel'
import type { DecayBuffers } from '../attention-shape.ts'

export interface PositionSizes {
  readonly rows: number
  readonly length: number
}

/** Kernels of a backend that keeps the λ of a cache in trees. `cache` is the description (see layout.ts).
 *  `heads` counts batch·H, `rows` counts batch·Hkv. A kernel has finished when its call returns. */
export interface TauTreeKernels {
  /** A view of memory as whole numbers. Use it at once, because it may become invalid when memory grows. */
  words(handle: Handle, length: number): Int32Array
  /** Copies new positions in. Reports what is wrong with them, per row. */
  store(
    cache: Handle,
    inputs: { readonly lambdaK: Handle; readonly v: Handle; readonly logDecay: DecayBuffers | undefined },
    reports: Handle,
    sizes: {
      readonly rows: number
      readonly valueDim: number
      readonly start: number
      readonly count: number
    },
  ): void
  /** Copies the first `length` positions out, but only the fields whose outputs are given. */
  read(
    cache: Handle,
    outputs: { readonly lambdaK: Handle; readonly v?: Handle; readonly high?: Handle; readonly low?: Handle },
    sizes: { readonly rows: number; readonly valueDim: number; readonly length: number },
  ): void
  /** Adds the key of one time to every tree. No key in the trees is newer. */
  insert(cache: Handle, time: number, heads: number): void
  /** Removes the key of one time from every tree. */
  remove(cache: Handle, time: number, heads: number): void
  /** Sorts the first `length` positions of every row. `lists` holds 16 bytes per row and position. */
  sort(cache: Handle, lists: Handle, sizes: PositionSizes): void
  /** Moves the sorted positions into slots in that order. Writes the slot of each time to `places`
   *  [rows, length]. `copies` has room for `length` positions of one row, `copyBytes` (layout.ts) each.
   *  Before any other kernel runs, the description must name the new places. */
  arrange(
    cache: Handle,
    memory: { readonly lists: Handle; readonly copies: Handle; readonly places: Handle },
    sizes: PositionSizes & { readonly copyBytes: number },
  ): void
  /** Builds every tree anew over the first `length` ≥ 1 sorted positions. Each tree has `levels` nodes per
   *  level, from the leaves up. Its nodes begin at `nodes`, and its last node is the root. */
  build(
    cache: Handle,
    memory: { readonly lists: Handle; readonly nodes: Handle },
    sizes: { readonly heads: number; readonly length: number },
    levels: readonly number[],
  ): void
  /** One query per head: lambdaQ [heads] → out [heads, valueDim]. */
  attend(cache: Handle, lambdaQ: Handle, out: Handle, heads: number, valueDim: number): void
  /** Writes the index of the first of `count` numbers that is not finite, as an i32; −1 if all are finite. */
  firstNotFinite(x: Handle, count: number, found: Handle): void
}
