import { SIZES } from '../quadratic/wgsl-pairs.ts'
import { CHANNELS, CHUNK } from './levels.ts'

/** Names of the sizes, in the order in which every launch passes them. */
export const LEVEL_SIZES = {
  ...SIZES,
  block: 'u32',
  levels: 'u32',
  slots: 'u32',
  lanes: 'u32',
} as const

const VECTORS = CHANNELS / 4

/** Repeats `text` for each of a thread's vectors of four channels. */
export const eachVector = (text: (i: number) => string): string =>
  Array.from({ length: VECTORS }, (_, i) => text(i)).join('\n        ')

/** Calls `read_NAME` for vector `i` of a thread's channels. */
export const channels = (name: string, row: string, i: number): string =>
  `read_${name}(${row}, ${CHANNELS}u * lane + ${4 * i}u)`

/** Adds weight · a row of a buffer to the vectors SUM_0, SUM_1, …. */
export const addRow = (sum: string, weight: string, buffer: string, row: string): string =>
  eachVector((i) => `${sum}_${i} += ${weight} * ${channels(buffer, row, i)};`)

/** Adds weight · a state's channels to the vectors SUM_0, SUM_1, …. `from` is the first vector to read within
 *  the state: 0 for its sum, QUADS for its moments. */
export const addState = (sum: string, weight: string, from = '0u'): string =>
  eachVector((i) => `${sum}_${i} += ${weight} * states[state_at + ${from} + ${VECTORS}u * lane + ${i}u];`)

export const zeros = (...sums: string[]): string =>
  sums.map((sum) => eachVector((i) => `var ${sum}_${i} = vec4<f32>();`)).join('\n  ')

/** Vectors that hold all channels of a sum. */
export const QUADS = `(${VECTORS}u * params.lanes)`

/** Vectors of a state: the channels of its sum, the channels of its moments if it has them, and its mark. */
export const stateVectors = (hasMoments: boolean): string => `(${hasMoments ? 2 : 1}u * ${QUADS} + 1u)`

/** WGSL function `place_of(at, chunks, lambda, is_equal)`: the last chunk of a block whose first λ is below
 *  `lambda`. If `is_equal`, its first λ may also equal `lambda`. If there is no such chunk, the result is 0.
 *  The block begins at entry `at` of `sorted`. */
export const PLACE_OF = `
fn place_of(at : u32, chunks : u32, lambda : f32, is_equal : bool) -> u32 {
  var low = 0u;
  var high = chunks;
  while (low + 1u < high) {
    let middle = (low + high) / 2u;
    let other = sorted[2u * (at + middle * ${CHUNK}u)];
    if (other < lambda || (is_equal && other == lambda)) { low = middle; } else { high = middle; }
  }
  return low;
}`
