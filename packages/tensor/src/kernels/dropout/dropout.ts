import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** Which random words decide, and what they decide. */
export interface Draw {
  /** Elements whose word is smaller are dropped; a whole number below 2³². */
  readonly threshold: number
  /** What the others are multiplied by. */
  readonly scale: number
  /** Low and high half of the seed. */
  readonly key: readonly [number, number]
  readonly step: number
  readonly stream: number
}

/** out[i] = scale · x[i] where word i of the draw is at least its threshold, else 0, for i < n. Word i is word i mod 4 of
 *  philox4x32([⌊i / 4⌋, step, stream, 1], key). */
export type DropoutKernel = (x: Handle, out: Handle, n: number, draw: Draw) => void

export interface DropoutOptions {
  /** Whole number from 0 to 2⁵³ − 1. */
  readonly seed: number
  /** Of training, a whole number below 2³²: another step, another mask. */
  readonly step: number
  /** Which dropout of the step, a whole number below 2³²: layers must differ. Default 0. */
  readonly stream?: number
}

/** x with each element set to 0 with probability `rate`, 0 ≤ rate < 1, and the others divided by 1 − rate: the expected value stays.
 *  The mask is a function of (seed, step, stream) and the element's index, the same on every device and for any number of threads. So
 *  {@link checkpoint} and a resumed run see it again, and the backward pass draws it anew instead of keeping it. What is dropped leaves no
 *  trace, be it NaN or infinite. For training only: leave it out where a model is used.
 *  Sources: Srivastava et al., Dropout (2014); the words: see {@link philox4x32}. Modes of gpu.js without 32-bit integers get the mask from
 *  the host. */
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
      `dropout: rate must be at least 0 and below 1, got ${rate}; it is the share that is dropped`,
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
