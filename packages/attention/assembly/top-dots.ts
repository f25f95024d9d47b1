import { packPanels } from '@tau/tensor/assembly/matmul-pack'
import { fma, splat } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'
import { dominates, MASS, STAT_BYTES, TOP } from './lambda-attention/quadratic'

/** Rows of a work item. They are transposed as in row-dots.ts. So G·centre has the same bits as in the
 *  micro-kernel for the same vectors. */
export const LANES: i32 = 8

/** dots[row] = (dOut·centre, dOut·rest) for blocks begin … end−1 of eight rows of [B, H, Tq, D]. The centre
 *  is the value of the row's top key if that key dominates, else 0. rest comes from
 *  {@link lambdaAttention}. */
export function topDots(
  dOut: usize,
  rest: usize,
  v: usize,
  stats: usize,
  dots: usize,
  rows: i32,
  queries: i32,
  group: i32,
  keys: i32,
  dim: i32,
  begin: i32,
  end: i32,
): void {
  const row = (<usize>dim) << 2
  const block = row * <usize>LANES
  const results = workspace()
  const grads = results + 64
  const rests = grads + block
  const centres = rests + block
  const gathered = centres + block
  for (let item = begin; item < end; item++) {
    const first = item * LANES
    const count = min(LANES, rows - first)
    for (let r = 0; r < count; r++) {
      const kvHead = (first + r) / queries / group
      const stat = stats + (<usize>(first + r)) * STAT_BYTES
      const target = gathered + (<usize>r) * row
      const top = <usize>kvHead * <usize>keys + <usize>load<i32>(stat, TOP)
      if (dominates(load<f32>(stat, MASS))) memory.copy(target, v + top * row, row)
      else memory.fill(target, 0, row)
    }
    packPanels(dOut + (<usize>first) * row, row, 4, count, dim, LANES, grads)
    packPanels(rest + (<usize>first) * row, row, 4, count, dim, LANES, rests)
    packPanels(gathered, row, 4, count, dim, LANES, centres)
    let low = splat(0)
    let high = splat(0)
    let restLow = splat(0)
    let restHigh = splat(0)
    for (let c: usize = 0; c < block; c += 32) {
      const g0 = v128.load(grads + c)
      const g1 = v128.load(grads + c, 16)
      low = fma(g0, v128.load(centres + c), low)
      high = fma(g1, v128.load(centres + c, 16), high)
      restLow = fma(g0, v128.load(rests + c), restLow)
      restHigh = fma(g1, v128.load(rests + c, 16), restHigh)
    }
    v128.store(results, v128.shuffle<f32>(low, restLow, 0, 4, 1, 5))
    v128.store(results, v128.shuffle<f32>(low, restLow, 2, 6, 3, 7), 16)
    v128.store(results, v128.shuffle<f32>(high, restHigh, 0, 4, 1, 5), 32)
    v128.store(results, v128.shuffle<f32>(high, restHigh, 2, 6, 3, 7), 48)
    memory.copy(dots + ((<usize>first) << 3), results, (<usize>count) << 3)
  }
}
