import type { MatmulSizes } from './matmul.ts'
import type { Tile } from './wgsl-tile.ts'

/** 256 threads with 64 sums each. Four vectors read from workgroup memory serve 64 multiply-adds. */
export const LARGE: Tile = { size: 128, rows: 8, cols: 8 }
/** 64 threads with 16 sums each, if large tiles would be mostly empty or too few. */
export const SMALL: Tile = { size: 32, rows: 4, cols: 4 }
/** Number of workgroups that keep a GPU busy: about the number of multiprocessors of a large one. */
const ENOUGH = 128
/** The least depth of a part of k. With smaller parts, summing the parts costs as much as the products. */
const MIN_PART = 256
/** Multiply-adds up to which one launch of small tiles is faster than two launches of large tiles.
 *  Measured on an H200: a launch costs 40 µs. Large tiles with sums of parts reach 17 TFLOPS (1024³). Small
 *  tiles reach at least 6 TFLOPS ([1024, 384] of k 384, where most of the time is the launch). For F
 *  operations both take the same time if F / 6 TFLOPS = 40 µs + F / 17 TFLOPS, so F = 0.37·10⁹. That is twice
 *  the number of multiply-adds. */
const LAUNCH_BOUND = 0.185e9

export interface MatmulPlan {
  readonly tile: Tile
  /** Number of parts into which k is cut, if there are few tiles. An example is a gradient of weights: it is
   *  small, and its k is the number of tokens. More than one part needs a second launch, which adds them. */
  readonly parts: number
}

const tilesOf = ({ batch, m, n }: MatmulSizes, { size }: Tile): number =>
  batch * Math.ceil(m / size) * Math.ceil(n / size)

function withParts(sizes: MatmulSizes, tile: Tile): MatmulPlan & { readonly groups: number } {
  const tiles = tilesOf(sizes, tile)
  const parts = Math.max(1, Math.min(Math.floor(ENOUGH / tiles), Math.floor(sizes.k / MIN_PART)))
  return { tile, parts, groups: tiles * parts }
}

/** The tile and the number of parts for a product.
 *  Large tiles read the least memory. They win if they fill the GPU. Small tiles win if the product is so
 *  small that launches dominate, large tiles would need parts, and small tiles need none. For example 512³ is
 *  256 small tiles in one launch, or 16 large tiles in two parts and two launches.
 *  On a GPU in software a launch costs little, and a workgroup is a loop on one core. There large tiles win
 *  as soon as they fit. */
export function matmulPlan(sizes: MatmulSizes, isSoftware: boolean): MatmulPlan {
  const { batch, m, n, k } = sizes
  const large = withParts(sizes, LARGE)
  const small = withParts(sizes, SMALL)
  const fits = Math.min(m, n) > LARGE.size / 2
  const isLaunchBound = batch * m * n * k <= LAUNCH_BOUND && large.parts > small.parts && small.parts === 1
  const { tile, parts } = fits && large.groups >= ENOUGH / 4 && (isSoftware || !isLaunchBound) ? large : small
  return { tile, parts }
}
