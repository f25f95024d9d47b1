import { matmulMicroWide } from '../../generated/constants.ts'

/** Block of the widest micro-kernel. Tiles are multiples of it. The plain build has blocks of 5 rows and pads
 *  2 % of its panels. */
const { MR, NR } = matmulMicroWide
/** The most elements of C in a tile. Large tiles are fast because the whole tile uses what was packed once:
 *  on two threads [30 522, 384] of k = 384 runs at 208 GFLOPS in tiles of 3816 × 384, and at 193 in tiles of
 *  384 × 384. */
const MAX_AREA = 1024 * 1536
/** The most columns of a tile. A tile's slice of B must fit in the workspace. */
const MAX_COLS = 1024
/** A product is cut until each thread has enough tiles, or until tiles are so small that packing costs too
 *  much. With one or two threads, each gets one tile. With more threads, each gets two, because some threads
 *  are slower and leave their second tile to others. */
const FEW_THREADS = 2
const TILES_PER_THREAD = 2
const MIN_AREA = 48 * 64
/** From this k on, fewer and larger tiles are faster, because they need less packing. For example a head's
 *  dX, [384, 384] of k = 30 522, runs at 190 GFLOPS in 2 tiles and at 175 in 4. */
const DEEP = 4096
const MIN_DEEP_AREA = 128 * 160

export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step

/** Limits on the pieces of C. */
interface Cut {
  readonly maxArea: number
  readonly maxCols: number
  /** Pieces are not cut below this area only to reach `wanted`. */
  readonly minArea: number
  readonly wanted: number
}

/** Cuts C [m, n] into nearly equal pieces. It halves the longer side again and again, so the number of pieces
 *  is divisible by the usual numbers of threads. */
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

/** Rows and columns of a tile of C [m, n], for products over k in our own kernel. The size may depend on the
 *  number of threads, because the kernel sums every element in the order of k, whatever the tile. */
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
