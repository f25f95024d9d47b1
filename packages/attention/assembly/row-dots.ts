import { packPanels } from '@tau/tensor/assembly/matmul-pack'
import { fma, splat } from '@tau/tensor/assembly/simd'
import { workspace } from '@tau/tensor/assembly/workspace'

/** Rows of an item: both operands are transposed into the workspace, so that each row is summed in the order of its columns,
 *  as the micro-kernel does. A query with one key then has G·v − G·out = 0 exactly. */
const LANES: i32 = 8

/** out[r] = Σ_c a[r, c]·b[r, c] for blocks begin … end−1 of eight rows. */
export function rowDots(a: usize, b: usize, out: usize, rows: i32, cols: i32, begin: i32, end: i32): void {
  const row = (<usize>cols) << 2
  const left = workspace() + 32
  const bytes = (<usize>cols) * 32
  const right = left + bytes
  for (let item = begin; item < end; item++) {
    const first = item * LANES
    const count = min(LANES, rows - first)
    packPanels(a + (<usize>first) * row, row, 4, count, cols, LANES, left)
    packPanels(b + (<usize>first) * row, row, 4, count, cols, LANES, right)
    let low = splat(0)
    let high = splat(0)
    for (let c: usize = 0; c < bytes; c += 32) {
      low = fma(v128.load(left + c), v128.load(right + c), low)
      high = fma(v128.load(left + c, 16), v128.load(right + c, 16), high)
    }
    v128.store(workspace(), low)
    v128.store(workspace(), high, 16)
    memory.copy(out + ((<usize>first) << 2), workspace(), (<usize>count) << 2)
  }
}
