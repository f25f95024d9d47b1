import type { CpuEngine } from '../../backends/cpu/engine.ts'
import type { GemmProgram } from '../../backends/cpu/gemm.ts'
import type { MatmulKernel } from './matmul.ts'
import { cutInHalves, roundUp } from './tile.ts'
import { matmulWork } from './work.ts'

/** The most elements of C in one call of the library. Larger tiles need less packing; smaller tiles spread
 *  better over threads. */
const MAX_AREA = 1024 * 1024
/** A product is cut into at least this many tiles. On two threads, 8 tiles ran at 0.85 of the speed of 4. */
const WANTED_TILES = 4
const MIN_AREA = 64 * 64
/** Tiles are multiples of 16 rows and columns, so micro-kernels of up to 16 × 16 leave no rest in the middle
 *  of C. */
const STEP = 16
/** Multiplications in a call that is worth sharing between threads. */
const TILE_MULTIPLIES = 1 << 19

/** The program of every thread. Items are tiles of a batch of products; each tile is one call of the
 *  library. */
const tilesOf = ({ source }: GemmProgram): string => `
const sgemm = ((memory) => {${source}
})(memory)
const matmul = (a, b, out, m, n, k, strideA, strideB, transA, transB, tileM, tileN, adds, begin, end) => {
  const across = Math.ceil(n / tileN)
  const tiles = Math.ceil(m / tileM) * across
  for (let item = begin; item < end; item++) {
    const batch = Math.floor(item / tiles)
    const i = Math.floor((item % tiles) / across) * tileM
    const j = (item % across) * tileN
    const left = a + 4 * (batch * strideA + (transA ? i : i * k))
    const right = b + 4 * (batch * strideB + (transB ? j * k : j))
    const c = out + 4 * ((batch * m + i) * n + j)
    const rows = Math.min(tileM, m - i)
    const cols = Math.min(tileN, n - j)
    sgemm(!!transA, !!transB, rows, cols, k, left, transA ? m : k, right, transB ? k : n, !!adds, c, n)
  }
}
return { matmul }`

/** Products by the device's library. Each of our threads calls it for tiles, whose sizes depend only on the
 *  sizes of the product.
 *  The library's own threads are not used, for two reasons. They would wait for ours, which look for work for
 *  50 µs after each kernel. And the library's bits depend on the number of its threads. */
export function matmulNative(engine: CpuEngine, program: GemmProgram): MatmulKernel {
  const tiles = engine.script(tilesOf(program), 'matmul', program.name)
  return (layout, a, b, out, sizes) => {
    const { batch, m, n, k, strideA, strideB, accumulate } = sizes
    const { rows, cols } = cutInHalves(m, n, {
      maxArea: MAX_AREA,
      maxCols: Number.POSITIVE_INFINITY,
      minArea: MIN_AREA,
      wanted: WANTED_TILES,
    })
    const tileM = roundUp(rows, STEP)
    const tileN = roundUp(cols, STEP)
    const count = batch * Math.ceil(m / tileM) * Math.ceil(n / tileN)
    const grain = Math.max(1, Math.floor(TILE_MULTIPLIES / (Math.min(tileM, m) * Math.min(tileN, n) * k)))
    const [transA, transB] = [layout === 'tn' ? 1 : 0, layout === 'nt' ? 1 : 0]
    const args = [a, b, out, m, n, k, strideA, strideB, transA, transB, tileM, tileN, accumulate ? 1 : 0]
    tiles(args, count, grain, matmulWork(layout, sizes))
  }
}
