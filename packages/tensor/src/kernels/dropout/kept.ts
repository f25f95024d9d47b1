import { philox4x32 } from '../../philox.ts'
import type { Draw } from './dropout.ts'

/** For each of the first `n` elements: 1 if it stays, else 0. */
export function keptElements(n: number, { threshold, key, step, stream }: Draw): Float32Array {
  const kept = new Float32Array(n)
  for (let block = 0; 4 * block < n; block++) {
    const words = philox4x32([block, step, stream, 1], key)
    for (let lane = 0; lane < 4 && 4 * block + lane < n; lane++)
      kept[4 * block + lane] = Number(words[lane] >= threshold)
  }
  return kept
}
