import { ShapeError, shapeText, type Tensor, zeros } from '@tau/tensor'
import { refuseTape } from '@tau/tensor/kernel'
import type { DecayBuffers } from '../kernels/attention-shape.ts'
import { decayParts, type LogDecay } from '../kernels/decay/decay.ts'
import type { Field, GrowingBuffers } from './growing-buffers.ts'

// Decay readings as the caches keep them: both parts, per query head.

export type DecayFields = 'logDecay' | 'decayLow'

export const decayFields = (decay: boolean, heads: number): [DecayFields, Field][] =>
  decay
    ? [
        ['logDecay', { heads, width: 1 }],
        ['decayLow', { heads, width: 1 }],
      ]
    : []

/** The buffers of a cache's readings. */
export const cachedDecay = (buffers: Pick<GrowingBuffers<DecayFields>, 'tensor'>): DecayBuffers => ({
  high: buffers.tensor('logDecay').handle,
  low: buffers.tensor('decayLow').handle,
})

/** Calls `append` with the entries of new readings. A cache without decay has none. If low parts are not
 *  given, they are 0. */
export function withReadings(
  op: string,
  expected: boolean,
  logDecay: Tensor | LogDecay | undefined,
  append: (entries: readonly (readonly [DecayFields, Tensor])[]) => void,
): void {
  if (!logDecay) {
    if (expected) throw new ShapeError(`${op}: logDecay must be given to a cache with decay, got none`)
    append([])
    return
  }
  const { high, low } = decayParts(logDecay)
  if (!expected)
    throw new ShapeError(
      `${op}: logDecay must be left out of a cache without decay, got ${shapeText(high.shape)}; construct the cache with decay: true`,
    )
  refuseTape(op, high)
  using none = low ? undefined : zeros(high.device, high.shape)
  const rest = low ?? none
  append([['logDecay', high], ...(rest ? [['decayLow', rest] as const] : [])])
}
