/** Block of the widest micro-kernel (assembly/matmul-block.ts): tiles are multiples of it. The plain build has 5 rows and pads
 *  2 % of its panels. */
const MR = 6
const NR = 16
/** Elements of C in a tile, at most: a tenth of its time goes into packing. */
const MAX_AREA = 384 * 384
/** A tile's slice of B must fit in the workspace. */
const MAX_COLS = 1024
/** Smaller products are cut until there are this many tiles, or tiles get so small that packing costs too much. */
const WANTED_TILES = 8
const MIN_AREA = 48 * 64
/** Where C is small and k is this large, as in a head's dX, a few tiles that pack less win: [384, 384] of k = 30 522 runs at 90 GFLOPS in 4
 *  tiles and at 79 in 8. */
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
 *  usual thread counts. A function of the shape only: so are the bits of the result. */
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

/** Rows and columns of a tile of C [m, n], of products over k, in our own kernel. */
export function matmulTile(m: number, n: number, k: number): { tileM: number; tileN: number } {
  const minArea = k < DEEP ? MIN_AREA : MIN_DEEP_AREA
  const limits = { maxArea: MAX_AREA, maxCols: MAX_COLS, minArea, wanted: WANTED_TILES }
  const { rows, cols } = cutInHalves(m, n, limits)
  return { tileM: roundUp(rows, MR), tileN: roundUp(cols, NR) }
}
