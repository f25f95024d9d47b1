/** Block of the widest micro-kernel (assembly/matmul-block.ts): tiles are multiples of it. The plain build has 5 rows and pads
 *  2 % of its panels. */
const MR = 6
const NR = 16
/** Elements of C in a tile, at most: 5 % of its time goes into packing. */
const MAX_AREA = 192 * 384
/** A tile's slice of B must fit in the workspace. */
const MAX_COLS = 1024
/** Smaller products are cut until there are this many tiles, or tiles get so small that packing costs too much. */
const WANTED_TILES = 8
const MIN_AREA = 48 * 64

export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step

/** Rows and columns of a tile of C [m, n]: halves of halves, the longer side first, so that the tiles are nearly equal and
 *  their number divides by the usual thread counts. A function of the shape only: so are the bits of the result. */
export function matmulTile(m: number, n: number): { tileM: number; tileN: number } {
  let partsM = 1
  let partsN = 1
  for (;;) {
    const rows = Math.ceil(m / partsM)
    const cols = Math.ceil(n / partsN)
    const area = rows * cols
    const tooLarge = area > MAX_AREA || cols > MAX_COLS
    const tooFew = partsM * partsN < WANTED_TILES && area >= 2 * MIN_AREA
    if (!tooLarge && !tooFew) return { tileM: roundUp(rows, MR), tileN: roundUp(cols, NR) }
    if (cols > rows || cols > MAX_COLS) partsN *= 2
    else partsM *= 2
  }
}
