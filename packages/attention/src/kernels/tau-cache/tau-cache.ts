import type { Handle } from '@tau/tensor/kernel'
import type { DecayBuffers } from '../attention-shape.ts'

export interface PositionSizes {
  readonly rows: number
  readonly length: number
}

/** Kernels of a backend that keeps the λ of a cache in trees. `cache` is the description (see layout.ts); `heads` counts batch·H,
 *  `rows` batch·Hkv. They are done when they return. */
export interface TauTreeKernels {
  /** Memory as whole numbers, in place; to be used at once. */
  words(handle: Handle, length: number): Int32Array
  /** Copies new positions in, and reports per row what is wrong with them. */
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
  /** Copies the first `length` positions out: those fields that are given. */
  read(
    cache: Handle,
    outputs: { readonly lambdaK: Handle; readonly v?: Handle; readonly high?: Handle; readonly low?: Handle },
    sizes: { readonly rows: number; readonly valueDim: number; readonly length: number },
  ): void
  /** Adds the key of one time to every tree; none is newer. */
  insert(cache: Handle, time: number, heads: number): void
  /** Removes the key of one time from every tree. */
  remove(cache: Handle, time: number, heads: number): void
  /** Sorts the first `length` positions of every row. `lists` holds 16 bytes per row and position. */
  sort(cache: Handle, lists: Handle, sizes: PositionSizes): void
  /** Moves them to slots in that order; the slots of times come to `places` [rows, length]. `copies` holds what a position of one row
   *  takes, `copyBytes` (layout.ts), `length` times. The description must name the new places before anything else is done. */
  arrange(
    cache: Handle,
    memory: { readonly lists: Handle; readonly copies: Handle; readonly places: Handle },
    sizes: PositionSizes & { readonly copyBytes: number },
  ): void
  /** Makes every tree anew over the first `length` ≥ 1 positions, sorted, with nodes `levels` (from the leaves up) per tree from `nodes`
   *  on; the root is the last of a tree's. */
  build(
    cache: Handle,
    memory: { readonly lists: Handle; readonly nodes: Handle },
    sizes: { readonly heads: number; readonly length: number },
    levels: readonly number[],
  ): void
  /** One query per head: lambdaQ [heads] → out [heads, valueDim]. */
  attend(cache: Handle, lambdaQ: Handle, out: Handle, heads: number, valueDim: number): void
  /** Index of the first of `count` numbers that is not finite, −1 where there is none, as an i32. */
  firstNotFinite(x: Handle, count: number, found: Handle): void
}
