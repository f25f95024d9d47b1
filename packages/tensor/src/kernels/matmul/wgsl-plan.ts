import type { MatmulSizes } from './matmul.ts'
import type { Tile } from './wgsl-tile.ts'

/** 256 threads with 64 sums each: four vectors read from workgroup memory feed 64 multiply-adds. */
export const LARGE: Tile = { size: 128, rows: 8, cols: 8 }
/** 64 threads with 16 sums each, where large tiles would be mostly empty or too few. */
export const SMALL: Tile = { size: 32, rows: 4, cols: 4 }
/** Workgroups that keep a GPU busy: as many as a large one has multiprocessors. */
const ENOUGH = 128
/** A part of k is at least so deep, else its sums cost as much as its products. */
const MIN_PART = 256
/** Multiply-adds up to which one launch of small tiles is worth more than two of large ones. On an H200 a launch costs 40 µs, large tiles reach
 *  17 TFLOPS with their sums of parts (1024³) and small ones 6 at the least ([1024, 384] of k 384, most of it the launch): with F
 *  operations F / 6 TFLOPS = 40 µs + F / 17 TFLOPS at F = 0.37·10⁹, which is twice as many as multiply-adds. */
const LAUNCH_BOUND = 0.185e9

export interface MatmulPlan {
  readonly tile: Tile
  /** Into how many k is cut, where there are few tiles: a gradient of weights is small and as deep as there are tokens. More than one
   *  take a second launch, which adds them. */
  readonly parts: number
}

const tilesOf = ({ batch, m, n }: MatmulSizes, { size }: Tile): number =>
  batch * Math.ceil(m / size) * Math.ceil(n / size)

function withParts(sizes: MatmulSizes, tile: Tile): MatmulPlan & { readonly groups: number } {
  const tiles = tilesOf(sizes, tile)
  const parts = Math.max(1, Math.min(Math.floor(ENOUGH / tiles), Math.floor(sizes.k / MIN_PART)))
  return { tile, parts, groups: tiles * parts }
}

/** Tiles and parts of a product. Large tiles read least and win where they fill the GPU. Where they would not without parts, but small ones
 *  do and the product is so small that launches are what it costs, small ones take it in one: 512³ is 256 small tiles, or 16 large ones in
 *  two parts. In software a launch costs little and a workgroup is a loop on a core: there large tiles win as soon as they fit. */
export function matmulPlan(sizes: MatmulSizes, isSoftware: boolean): MatmulPlan {
  const { batch, m, n, k } = sizes
  const large = withParts(sizes, LARGE)
  const small = withParts(sizes, SMALL)
  const fits = Math.min(m, n) > LARGE.size / 2
  const isLaunchBound = batch * m * n * k <= LAUNCH_BOUND && large.parts > small.parts && small.parts === 1
  const { tile, parts } = fits && large.groups >= ENOUGH / 4 && (isSoftware || !isLaunchBound) ? large : small
  return { tile, parts }
}
