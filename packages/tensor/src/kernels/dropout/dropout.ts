import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** The random words of a dropout, and what they decide. */
export interface Draw {
  /** Elements with a smaller word are dropped. A whole number below 2³². */
  readonly threshold: number
  /** Factor of the elements that stay. */
  readonly scale: number
  /** The low and the high 32 bits of the seed. */
  readonly key: readonly [number, number]
  readonly step: number
  readonly stream: number
}

/** For i < n: out[i] = scale · x[i] if word i is at least the threshold, else 0. Word i is word i mod 4 of
 *  philox4x32([⌊i / 4⌋, step, stream, 1], key). */
export type DropoutKernel = (x: Handle, out: Handle, n: number, draw: Draw) => void

export interface DropoutOptions {
  /** Whole number from 0 to 2⁵³ − 1. */
  readonly seed: number
  /** The training step, a whole number below 2³². Each step has its own mask. */
  readonly step: number
  /** The number of this dropout within the step, a whole number below 2³²; default 0. Each layer needs its
   *  own number. */
  readonly stream?: number
}

/** Sets each element of x to 0 with probability `rate`, 0 ≤ rate < 1, and divides the others by 1 − rate. So
 *  the expected value does not change. For training only: leave it out at inference.
 *  The mask is a function of (seed, step, stream) and the index of the element. It is the same on every
 *  device and for any number of threads, so {@link checkpoint} and a resumed run see the same mask. The
 *  backward pass computes it again instead of keeping it. A dropped element has no influence, even if it is
 *  NaN or infinite.
 *  In modes of gpu.js without 32-bit integers, the host computes the mask.
 *  Sources: Srivastava et al., Dropout (2014); random words: {@link philox4x32}. */
export function dropout(x: Tensor, rate: number, options: DropoutOptions): Tensor {
  checkDType('dropout', 'x', x, 'f32')
  const draw = drawOf(rate, options)
  const apply = (input: Tensor): Tensor => {
    const out = input.device.empty(input.shape)
    kernelsOf(input.device).dropout(input.handle, out.handle, input.size, draw)
    return out
  }
  return record('dropout', [x], apply(x), (dOut) => [apply(dOut)])
}

function drawOf(rate: number, options: DropoutOptions): Draw {
  if (!(rate >= 0 && rate < 1))
    throw new RangeError(
      `dropout: rate must be at least 0 and below 1, got ${rate}; pass the share of elements to drop`,
    )
  const { seed, step, stream = 0 } = options ?? {}
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(
      `dropout: seed must be a whole number from 0 to 2^53 - 1, got ${seed}; write dropout(x, rate, { seed, step })`,
    )
  for (const [name, value] of Object.entries({ step, stream }))
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)
      throw new RangeError(`dropout: ${name} must be a whole number from 0 to 2^32 - 1, got ${value}`)
  return {
    threshold: Math.min(Math.round(rate * 2 ** 32), 2 ** 32 - 1),
    scale: 1 / (1 - rate),
    key: [seed >>> 0, Math.floor(seed / 2 ** 32)],
    step,
    stream,
  }
}
