import { matmulMicroWide } from '../../generated/constants.ts'

/** Block of the widest micro-kernel: tiles are multiples of it. The plain build has 5 rows and pads 2 % of its panels. */
const { MR, NR } = matmulMicroWide
/** Elements of C in a tile, at most. What is packed serves a whole tile: [30 522, 384] of k = 384 runs at 208 GFLOPS on two threads in
 *  tiles of 3816 × 384, and at 193 in tiles of 384 × 384. */
const MAX_AREA = 1024 * 1536
/** A tile's slice of B must fit in the workspace. */
const MAX_COLS = 1024
/** Products are cut until there are as many tiles, or tiles get so small that packing costs too much. One or two threads get one each; where there
 *  are more, some are slower than others and leave their second tile to those. */
const FEW_THREADS = 2
const TILES_PER_THREAD = 2
const MIN_AREA = 48 * 64
/** Where C is small and k is this large, as in a head's dX, a few tiles that pack less win: [384, 384] of k = 30 522 runs at 190 GFLOPS in 2
 *  tiles and at 175 in 4. */
const DEEP = 4096
const MIN_DEEP_AREA = 128 * 160

export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step

/** Limits of a cut. */
interface Cut {
  readonly maxArea: number
  readonly maxCols: number
  /** Pieces smaller than this are not made only to have more of them. */
  readonly minArea: number
  readonly wanted: number
}

/** Cuts C [m, n] into pieces that are nearly equal: halves of halves, the longer side first, so that their number divides by the
 *  usual thread counts. */
export function cutInHalves(m: number, n: number, { maxArea, maxCols, minArea, wanted }: Cut) {
  let partsM = 1
  let partsN = 1
  for (;;) {
    const rows = Math.ceil(m / partsM)
    const cols = Math.ceil(n / partsN)
    const area = rows * cols
    const tooLarge = area > maxArea || cols > maxCols
    const tooFew = partsM * partsN < wanted && area >= 2 * minArea
    if (!tooLarge && !tooFew) return { rows, cols }
    if (cols > rows || cols > maxCols) partsN *= 2
    else partsM *= 2
  }
}

/** Rows and columns of a tile of C [m, n], of products over k, in our own kernel: it sums every element in the order of k, whatever
 *  the tile, so that the number of threads may be heard. */
export function matmulTile(
  m: number,
  n: number,
  k: number,
  threads: number,
): { tileM: number; tileN: number } {
  const minArea = k < DEEP ? MIN_AREA : MIN_DEEP_AREA
  const wanted = threads > FEW_THREADS ? TILES_PER_THREAD * threads : threads
  const limits = { maxArea: MAX_AREA, maxCols: MAX_COLS, minArea, wanted }
  const { rows, cols } = cutInHalves(m, n, limits)
  return { tileM: roundUp(rows, MR), tileN: roundUp(cols, NR) }
}
