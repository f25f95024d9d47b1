import { refuseTape, ShapeError, shapeText, type Tensor, zeros } from '@tau/tensor'
import type { Field, GrowingBuffers } from './growing-buffers.ts'
import type { ClockBuffers } from './kernels/attention-shape.ts'
import { type Clock, clockParts } from './kernels/clock/clock.ts'

// How the caches keep clock readings: both parts, per query head.

export type ClockFields = 'clock' | 'clockLow'

export const clockFields = (clock: boolean, heads: number): [ClockFields, Field][] =>
  clock
    ? [
        ['clock', { heads, width: 1 }],
        ['clockLow', { heads, width: 1 }],
      ]
    : []

/** The readings that a cache holds. */
export const cachedClock = (buffers: Pick<GrowingBuffers<ClockFields>, 'tensor'>): ClockBuffers => ({
  high: buffers.tensor('clock').handle,
  low: buffers.tensor('clockLow').handle,
})

/** Calls `append` with the entries of new readings: none for a cache without a clock, low parts of 0 where they were not given. */
export function withReadings(
  op: string,
  expected: boolean,
  clock: Tensor | Clock | undefined,
  append: (entries: readonly (readonly [ClockFields, Tensor])[]) => void,
): void {
  if (!clock) {
    if (expected) throw new ShapeError(`${op}: clock must be given to a cache with a clock, got none`)
    append([])
    return
  }
  const { high, low } = clockParts(clock)
  if (!expected)
    throw new ShapeError(
      `${op}: clock must be left out of a cache without one, got ${shapeText(high.shape)}; construct the cache with clock: true`,
    )
  refuseTape(op, high)
  using none = low ? undefined : zeros(high.device, high.shape)
  const rest = low ?? none
  append([['clock', high], ...(rest ? [['clockLow', rest] as const] : [])])
}
